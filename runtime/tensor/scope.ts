/** Scopes: what is made inside and not handed out is freed at the end. */
import * as tf from '@tensorflow/tfjs-core';
import { type EngineScope, engine, type Tracked } from './engine.ts';
import type { Tensor } from './types.ts';

export function scope<T>(f: () => T): T {
  const own = open();
  let result: T | undefined;
  try {
    result = f();
    return result;
  } finally {
    close(own, result);
  }
}

/**
 * A scope over asynchronous work. Scopes are one stack for the whole process: of two that overlap without nesting, the
 * later one owns what either makes while both are open, so the earlier must not read such tensors after the later ends.
 */
export async function scopeAsync<T>(f: () => Promise<T>): Promise<T> {
  const own = open();
  let result: T | undefined;
  try {
    result = await f();
    return result;
  } finally {
    close(own, result);
  }
}

function open(): EngineScope {
  engine.startScope();
  return engine.state.activeScope!;
}

/** Like the engine's endScope, but for this scope wherever it lies in the stack. */
function close(own: EngineScope, result: unknown): void {
  const { state } = engine;
  const survivors = tensorsIn(result);
  const at = state.scopeStack.lastIndexOf(own);
  const parent = at > 0 ? state.scopeStack[at - 1] : null;
  state.scopeStack.splice(at, 1);
  state.activeScope = state.scopeStack.at(-1) ?? null;
  for (const tensor of own.track) {
    const mark = tensor as unknown as Tracked;
    if (mark.kept) continue;
    if (!survivors.has(tensor)) tensor.dispose();
    else if (parent && mark.scopeId === own.id) {
      mark.scopeId = parent.id;
      parent.track.push(tensor);
    }
  }
}

/** The tensors in a value: itself, or within arrays, maps, sets and objects. */
function tensorsIn(value: unknown): Set<Tensor> {
  const tensors = new Set<Tensor>();
  const seen = new Set<unknown>();
  const visit = (item: unknown): void => {
    if (typeof item !== 'object' || item === null || seen.has(item)) return;
    seen.add(item);
    if (item instanceof tf.Tensor) tensors.add(item);
    else if (item instanceof Map || item instanceof Set || Array.isArray(item))
      for (const part of item.values()) visit(part);
    else if (!ArrayBuffer.isView(item)) for (const part of Object.values(item)) visit(part);
  };
  visit(value);
  return tensors;
}
