/** Checkpoints that hooks ask for: written when all hooks have seen the event, so that the states of all go in. */
import type { Deferred } from './events.ts';

export interface CheckpointRequests extends Deferred {
  ask(reason: string, keep: number): Promise<string>;
}

interface Request {
  readonly reason: string;
  readonly keep: number;
  readonly resolve: (path: string) => void;
  readonly reject: (error: unknown) => void;
}

export function createCheckpointRequests(write: (reason: string, keep: number) => Promise<string>): CheckpointRequests {
  let requests: Request[] = [];
  let tell: () => void = () => undefined;
  return {
    ask: (reason, keep) =>
      new Promise((resolve, reject) => {
        requests.push({ reason, keep, resolve, reject });
        tell();
      }),
    asked: () =>
      new Promise((resolve) => {
        tell = resolve;
      }),
    /** One checkpoint for all that asked: its reasons are joined, and the most careful `keep` holds. */
    async settle() {
      const open = requests;
      if (open.length === 0) return;
      const keeps = open.map(({ keep }) => keep);
      const keep = keeps.includes(0) ? 0 : Math.max(...keeps);
      const path = await write([...new Set(open.map(({ reason }) => reason))].join(', '), keep);
      requests = [];
      for (const { resolve } of open) resolve(path);
    },
    cancel(error) {
      for (const { reject } of requests) reject(error);
      requests = [];
    },
  };
}
