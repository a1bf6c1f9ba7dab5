/** The gradient tape of a step, over the engine's own recording. */
import { engine, type TapeNode } from './engine.ts';
import { recordOn } from './recording.ts';
import { scope } from './scope.ts';
import type { Tape } from './types.ts';
import { release, walk } from './walk.ts';

/** Start recording. @throws when a tape is open already (and not paused): the engine has one tape at a time. */
export function openTape(): Tape {
  const { state } = engine;
  if (state.gradientDepth > 0)
    throw new Error('a gradient tape is open already: close it, or pause it, before opening another');
  let nodes: TapeNode[] | null = [];
  recordOn(nodes);
  let pauses = 0;

  const stop = (): TapeNode[] => {
    if (!nodes) throw new Error('this gradient tape is closed: open a new one for each step');
    const recorded = nodes;
    if (state.activeTape === recorded) recordOn(null);
    nodes = null;
    return recorded;
  };
  const off = (): void => {
    if (nodes && pauses++ === 0) recordOn(null);
  };
  const on = (): void => {
    if (nodes && --pauses === 0) recordOn(nodes);
  };

  return {
    pause<T>(f: () => T): T {
      off();
      let result: T;
      try {
        result = f();
      } catch (error) {
        on();
        throw error;
      }
      if (!(result instanceof Promise)) {
        on();
        return result;
      }
      return result.finally(on) as T;
    },
    backward(loss, variables, ready) {
      const recorded = stop();
      try {
        if (loss.size !== 1) throw new Error(`backward starts from one number; this loss has shape [${loss.shape}]`);
        return scope(() => walk(recorded, loss, variables, ready));
      } finally {
        release(recorded);
      }
    },
    close() {
      if (nodes) release(stop());
    },
  };
}
