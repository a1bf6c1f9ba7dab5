/**
 * Waiting for the GPU without leaving the current function. Dawn's package for Node settles promises in a function of
 * its own that it hands to setImmediate while anything is under way; that function may be called at any time. Kept once,
 * it lets a synchronous read wait by calling it until the buffer is mapped.
 */
/** Returns when `done()` holds, else false: there is no waiting with this version of the package. */
export type Pump = (done: () => boolean) => boolean;

type Immediate = (callback: (...args: unknown[]) => void, ...args: unknown[]) => unknown;
const scope = globalThis as unknown as { setImmediate: Immediate };

/** Run f; what it hands to setImmediate goes to `take` instead. */
function intercept<T>(take: (callback: () => void) => void, f: () => T): T {
  const own = scope.setImmediate;
  scope.setImmediate = take;
  try {
    return f();
  } finally {
    scope.setImmediate = own;
  }
}

/** @param start something asynchronous of Dawn, called while nothing else of it is under way */
export async function catchPump<T>(start: () => Promise<T>): Promise<{ result: T; pump: Pump }> {
  let settle: (() => void) | undefined;
  const promise = intercept((callback) => {
    settle = callback;
  }, start);
  if (settle) setImmediate(settle);
  const pump: Pump = (done) => {
    if (!settle) return done();
    let again: (() => void) | undefined;
    intercept(
      (callback) => {
        again = callback;
      },
      () => {
        while (!done()) settle!();
      },
    );
    if (again) setImmediate(again);
    return true;
  };
  return { result: await promise, pump };
}
