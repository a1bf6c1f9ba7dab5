/** The processes of a run: one per rank on this machine, watched, ended together, begun again after a failure. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { deviceOfChild } from './devices.ts';
import { freePort } from './free-port.ts';
import type { Meeting } from './messages.ts';
import { culprit, type RankEnd } from './rank-end.ts';

export interface LaunchSettings {
  /** what Node runs for each rank: options, module, arguments. @param again it goes on from the last checkpoint */
  readonly command: (again: boolean) => readonly string[];
  /** shown: what rank 0 writes, and with their number what others write to stderr; hidden: none of it */
  readonly output: 'shown' | 'hidden';
  /** ranks on this machine */
  readonly ranks: number;
  readonly nodes: number;
  /** number of this machine among the nodes */
  readonly nodeRank: number;
  /** where ranks of several machines meet; one machine meets at a free port of its own */
  readonly meeting?: Meeting;
  /** times a failed group begins again */
  readonly restarts: number;
  /** seconds without a sign of life after which a rank counts as dead */
  readonly timeout?: number;
  /** calls `stop` when the ranks are to finish the step, and again when they are to end at once; returns what ends that */
  onStop(stop: (signal: NodeJS.Signals) => void): () => void;
  /** how a rank is told; default: by the signal */
  stopRank?(child: ChildProcess, signal: NodeJS.Signals): void;
  /** a rank has been started */
  onStart?(child: ChildProcess): void;
  /** a rank has sent something besides the reason of its end */
  onMessage?(localRank: number, message: object): void;
  say(text: string): void;
}

export interface LaunchEnd {
  /** exit code of the launcher: 0 done, or stopped; 1 failed; 2 the request was wrong */
  readonly code: number;
  /** who failed, and why */
  readonly failed?: RankEnd;
}

/** ms that ranks have to end by themselves: after one has told of its failure, and after a second signal */
const GRACE = { failure: 15_000, stop: 5_000 };
/** exit code of a request that was wrong: it would be wrong again */
const WRONG_REQUEST = 2;

/** Run to the end. */
export async function launchRanks(settings: LaunchSettings): Promise<LaunchEnd> {
  const { restarts, say } = settings;
  for (let attempt = 0; ; attempt++) {
    const { ends, signals } = await runGroup(settings, attempt > 0);
    const failed = culprit(ends);
    // after a second signal ranks end as they are
    if (!failed || signals > 1) return { code: 0 };
    const code = failed.code ?? 1;
    if (code === WRONG_REQUEST) return { code, failed };
    say(`pipe: rank ${failed.rank} failed: ${failed.message}`);
    if (attempt >= restarts || signals > 0) return { code, failed };
    say(`the ranks begin again from the last checkpoint (${attempt + 1} of ${restarts})`);
  }
}

async function runGroup(settings: LaunchSettings, again: boolean): Promise<{ ends: RankEnd[]; signals: number }> {
  const { ranks, nodeRank } = settings;
  const meeting: Meeting = settings.meeting ?? { kind: 'tcp', host: '127.0.0.1', port: await freePort() };
  const children = Array.from({ length: ranks }, (_, local) => start(settings, meeting, local, again));
  let signals = 0;
  const ended = new Set<ChildProcess>();
  const killAll = (): void => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      ended.add(child);
      child.kill('SIGKILL');
    }
  };
  const timers: NodeJS.Timeout[] = [];
  const onSignal = (signal: NodeJS.Signals): void => {
    signals++;
    for (const child of children) {
      if (settings.stopRank) settings.stopRank(child, signal);
      else child.kill(signal);
    }
    if (signals > 1) timers.push(setTimeout(killAll, GRACE.stop));
  };
  // also the one that told may stand still
  const onFailure = (): void => void timers.push(setTimeout(killAll, GRACE.failure));
  const release = settings.onStop(onSignal);
  const ends: RankEnd[] = [];
  try {
    await Promise.all(
      children.map(async (child, local) => {
        const end = await endOf(child, nodeRank * ranks + local, {
          onFailure,
          onMessage: (message) => settings.onMessage?.(local, message),
          isEnded: () => ended.has(child),
        });
        ends.push(end);
        if (end.code !== 0) onFailure();
      }),
    );
  } finally {
    for (const timer of timers) clearTimeout(timer);
    release();
  }
  return { ends, signals };
}

/** A rank in a session of its own: a Ctrl-C of the terminal comes to the launcher alone, which passes it on. */
function start(settings: LaunchSettings, meeting: Meeting, local: number, again: boolean): ChildProcess {
  const { ranks, nodes, nodeRank, timeout } = settings;
  const shown = settings.output === 'shown';
  const rank = nodeRank * ranks + local;
  const errors = rank === 0 ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, settings.command(again), {
    detached: true,
    serialization: 'advanced', // events carry errors
    stdio: ['ignore', shown && local === 0 ? 'inherit' : 'ignore', shown ? errors : 'ignore', 'ipc'],
    env: {
      ...process.env,
      PIPE_LAUNCHED: '1',
      // images are decoded on libuv's threads, which are four by default and read files besides
      UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE ?? '16',
      RANK: String(rank),
      WORLD_SIZE: String(ranks * nodes),
      LOCAL_RANK: String(local),
      LOCAL_WORLD_SIZE: String(ranks),
      CUDA_VISIBLE_DEVICES: deviceOfChild(process.env.CUDA_VISIBLE_DEVICES, local),
      ...(timeout === undefined ? {} : { PIPE_RANK_TIMEOUT: String(timeout) }),
      PIPE_RENDEZVOUS: meeting.kind === 'tcp' ? tcp(meeting) : `file://${encodeURI(meeting.folder)}`,
    },
  });
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => process.stderr.write(`[rank ${rank}] ${line}\n`));
  }
  settings.onStart?.(child);
  return child;
}

const tcp = ({ host, port }: Extract<Meeting, { kind: 'tcp' }>): string =>
  `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;

interface Watcher {
  /** the rank has told why it is going to end */
  onFailure(): void;
  onMessage(message: object): void;
  /** whether the launcher ended it */
  isEnded(): boolean;
}

function endOf(child: ChildProcess, rank: number, { onFailure, onMessage, isEnded }: Watcher): Promise<RankEnd> {
  return new Promise((resolve) => {
    let report: { message?: string; because?: number } = {};
    child.on('message', (message: object) => {
      if ('message' in message) {
        report = message as typeof report;
        onFailure();
      } else onMessage(message);
    });
    child.on('error', (error) => resolve({ rank, code: 1, message: `it could not be started: ${error.message}` }));
    child.on('close', (code, signal) => {
      const { message, because } = report;
      const seen = signal ? `it was killed (${signal})` : `it ended with exit code ${code}`;
      resolve({ rank, code, message: message ?? seen, because, ended: message === undefined && isEnded() });
    });
  });
}
