/** Where operations are written down for the backward pass: on one tape at a time, or nowhere. */
import { engine, type TapeNode } from './engine.ts';
import { scope } from './scope.ts';

/** What the engine records on now, or null. */
export const recording = (): TapeNode[] | null => (engine.state.gradientDepth > 0 ? engine.state.activeTape : null);

/** Record on these nodes from now on, or nowhere (null). */
export function recordOn(nodes: TapeNode[] | null): void {
  engine.state.activeTape = nodes;
  engine.state.gradientDepth = nodes ? 1 : 0;
}

/** Run f recording on these nodes, or nowhere (null), and free its temporaries; with or without an open tape. */
export function recorded<T>(nodes: TapeNode[] | null, f: () => T): T {
  const { state } = engine;
  const { activeTape, gradientDepth } = state;
  recordOn(nodes);
  try {
    return scope(f);
  } finally {
    state.activeTape = activeTape;
    state.gradientDepth = gradientDepth;
  }
}

/** Run f with recording off and free its temporaries; with or without an open tape. */
export const noGrad = <T>(f: () => T): T => recorded(null, f);
