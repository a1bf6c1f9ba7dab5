/** How a run ends before its end. */

/** Asked for: by a signal, or by a hook. Not an error; it unwinds to where a checkpoint can be written. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export interface Stop {
  /** an orderly stop was asked for on this rank, and why */
  readonly reason: string | undefined;
  request(reason: string): void;
  /** all ranks know that one of them was asked to stop: each stops after this step */
  agree(): void;
  /** aborted when work must end now */
  readonly now: AbortSignal;
  /** @throws Stopped when a stop was asked for, and with several ranks, when they agree on it */
  check(): void;
  dispose(): void;
}

/** @param orderly finish the step and save; @param immediate stop now; @param alone there are no other ranks */
export function createStop(orderly: AbortSignal | undefined, immediate: AbortSignal | undefined, alone: boolean): Stop {
  const halt = new AbortController();
  let reason: string | undefined;
  let agreed = false;
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
    agree() {
      agreed = true;
      reason ??= 'another rank was asked to stop';
    },
    now: halt.signal,
    check() {
      if (reason !== undefined && (alone || agreed || halt.signal.aborted)) throw new Stopped(reason);
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
