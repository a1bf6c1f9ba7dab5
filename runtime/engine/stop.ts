/** How a run ends before its end. */

/** Asked for: by a signal, or by a hook. Not an error; it unwinds to where a checkpoint can be written. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export interface Stop {
  /** an orderly stop was asked for, and why */
  readonly reason: string | undefined;
  request(reason: string): void;
  /** aborted when work must end now */
  readonly now: AbortSignal;
  /** @throws Stopped when a stop was asked for */
  check(): void;
  dispose(): void;
}

/** @param orderly finish the step and save; @param immediate stop now */
export function createStop(orderly?: AbortSignal, immediate?: AbortSignal): Stop {
  const halt = new AbortController();
  let reason: string | undefined;
  const onOrderly = (): void => {
    reason ??= 'interrupted';
  };
  const onImmediate = (): void => {
    reason ??= 'interrupted';
    halt.abort(new Stopped('stopped at once'));
  };
  if (orderly?.aborted) onOrderly();
  if (immediate?.aborted) onImmediate();
  orderly?.addEventListener('abort', onOrderly);
  immediate?.addEventListener('abort', onImmediate);
  return {
    get reason() {
      return reason;
    },
    request(why) {
      reason ??= why;
    },
    now: halt.signal,
    check() {
      if (reason !== undefined) throw new Stopped(reason);
    },
    dispose() {
      orderly?.removeEventListener('abort', onOrderly);
      immediate?.removeEventListener('abort', onImmediate);
    },
  };
}

/** Whether an error is, or was caused by, a stop. */
export function isStop(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof Stopped) return true;
  return false;
}
