/** The gradient tape of a step, over the engine's own recording. */
import * as tf from '@tensorflow/tfjs-core';
import { engine, type TapeNode, type Tracked } from './engine.ts';
import { scope } from './scope.ts';
import type { Tape, Tensor, Variable } from './types.ts';

/** Start recording. @throws when a tape is open already (and not paused): the engine has one tape at a time. */
export function openTape(): Tape {
  const { state } = engine;
  if (state.gradientDepth > 0)
    throw new Error('a gradient tape is open already: close it, or pause it, before opening another');
  let nodes: TapeNode[] | null = [];
  state.activeTape = nodes;
  state.gradientDepth = 1;
  let pauses = 0;

  const stop = (): TapeNode[] => {
    if (!nodes) throw new Error('this gradient tape is closed: open a new one for each step');
    const recorded = nodes;
    if (state.activeTape === recorded) {
      state.activeTape = null;
      state.gradientDepth = 0;
    }
    nodes = null;
    return recorded;
  };
  const off = (): void => {
    if (!nodes || pauses++ > 0) return;
    state.activeTape = null;
    state.gradientDepth = 0;
  };
  const on = (): void => {
    if (!nodes || --pauses > 0) return;
    state.activeTape = nodes;
    state.gradientDepth = 1;
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
    backward(loss, variables) {
      const recorded = stop();
      try {
        if (loss.size !== 1) throw new Error(`backward starts from one number; this loss has shape [${loss.shape}]`);
        return scope(() => walk(recorded, loss, variables));
      } finally {
        release(recorded);
      }
    },
    close() {
      if (nodes) release(stop());
    },
  };
}

/** Run f with recording off and free its temporaries; with or without an open tape. */
export function noGrad<T>(f: () => T): T {
  const { state } = engine;
  const { activeTape, gradientDepth } = state;
  state.activeTape = null;
  state.gradientDepth = 0;
  try {
    return scope(f);
  } finally {
    state.activeTape = activeTape;
    state.gradientDepth = gradientDepth;
  }
}

function release(nodes: TapeNode[]): void {
  for (const node of nodes) free(node);
}

function free(node: TapeNode): void {
  for (const tensor of node.saved) tensor.dispose();
  node.saved = [];
  node.inputs = {};
  node.outputs = [];
}

/**
 * Walk backward over the nodes that lead from the variables to the loss; what a node saved and the gradients of its
 * outputs are freed as soon as it is done. Integers and booleans carry no gradient.
 */
function walk(nodes: TapeNode[], loss: Tensor, variables: Variable[]): (Tensor | null)[] {
  const wanted = new Set(variables.map((variable) => variable.id));
  const reached = new Set(wanted);
  const onPath = nodes.map((node) => {
    const reaches = Object.values(node.inputs).some((input) => reached.has(input.id));
    if (reaches) for (const output of node.outputs) if (output.dtype === 'float32') reached.add(output.id);
    return reaches;
  });
  const gradients = new Map<number, Tensor>();
  if (reached.has(loss.id)) gradients.set(loss.id, tf.onesLike(loss));

  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    const dys = node.outputs.map((output) => gradients.get(output.id) ?? null);
    if (onPath[i] && dys.some((dy) => dy !== null)) {
      scope(() => step(node, dys, reached, gradients));
      for (const output of node.outputs) {
        if (wanted.has(output.id)) continue;
        gradients.get(output.id)?.dispose();
        gradients.delete(output.id);
      }
    }
    free(node);
  }
  return variables.map((variable) => gradients.get(variable.id) ?? null);
}

/** Add the gradients of one node's inputs to `gradients`. Returns what must outlive the node's scope. */
function step(node: TapeNode, dys: (Tensor | null)[], reached: Set<number>, gradients: Map<number, Tensor>): Tensor[] {
  if (!node.gradient) {
    throw new Error(`${node.kernelName} has no gradient, but the loss depends on a variable through it`);
  }
  const scopeId = engine.state.activeScope!.id;
  const byInput = node.gradient(dys);
  const fresh: Tensor[] = [];
  for (const [name, input] of Object.entries(node.inputs)) {
    if (!reached.has(input.id)) continue;
    if (!byInput[name]) throw new Error(`the gradient of ${node.kernelName} lacks its input '${name}'`);
    let dx = byInput[name]();
    if (dx.dtype !== 'float32' || !tf.util.arraysEqual(dx.shape, input.shape)) {
      throw new Error(
        `the gradient of ${node.kernelName} for '${name}' is ${dx.dtype} [${dx.shape}]; expected float32 [${input.shape}]`,
      );
    }
    // a gradient may be dy itself, a saved tensor, or the same tensor for two inputs: each holder needs its own
    if ((dx as unknown as Tracked).scopeId !== scopeId || fresh.includes(dx)) dx = tf.clone(dx);
    const sum = gradients.get(input.id);
    if (sum) {
      gradients.set(input.id, tf.add(sum, dx));
      sum.dispose();
    } else {
      gradients.set(input.id, dx);
    }
    fresh.push(gradients.get(input.id)!);
  }
  return fresh;
}
