/** The backward pass over recorded operations. */
import * as tf from '@tensorflow/tfjs-core';
import { engine, type TapeNode, type Tracked } from './engine.ts';
import { recorded } from './recording.ts';
import { scope } from './scope.ts';
import type { Tensor, Variable } from './types.ts';

interface Walk {
  /** ids of the variables */
  readonly wanted: ReadonlySet<number>;
  /** ids of what depends on them */
  readonly reached: Set<number>;
  /** id → gradient so far */
  readonly gradients: Map<number, Tensor>;
}

type Ready = (gradient: Tensor, index: number) => void;

/**
 * Walk backward over the nodes that lead from the variables to the loss; what a node saved and the gradients of its
 * outputs are freed as soon as it is done. Integers and booleans carry no gradient. Null where the loss does not depend
 * on a variable.
 */
export function walk(
  nodes: readonly TapeNode[],
  loss: Tensor,
  variables: readonly Variable[],
  ready?: Ready,
): (Tensor | null)[] {
  const wanted = new Set(variables.map((variable) => variable.id));
  const state: Walk = { wanted, reached: new Set(wanted), gradients: new Map() };
  const onPath = onPathOf(nodes, state.reached);
  if (state.reached.has(loss.id)) state.gradients.set(loss.id, tf.onesLike(loss));
  const complete = ready && completedAt(nodes, onPath, variables);
  back(nodes, onPath, state, (i) => {
    for (const index of complete?.get(i) ?? []) {
      const gradient = state.gradients.get(variables[index].id);
      if (gradient) ready!(gradient, index);
    }
  });
  return variables.map((variable) => state.gradients.get(variable.id) ?? null);
}

/** Node → variables that no node before it reads: their gradients are whole when it is done. */
function completedAt(
  nodes: readonly TapeNode[],
  onPath: readonly boolean[],
  variables: readonly Variable[],
): Map<number, number[]> {
  const first = new Map<number, number>();
  for (const [i, node] of nodes.entries()) {
    if (!onPath[i]) continue;
    for (const { id } of Object.values(node.inputs)) if (!first.has(id)) first.set(id, i);
  }
  const complete = new Map<number, number[]>();
  for (const [index, { id }] of variables.entries()) {
    const at = first.get(id);
    if (at !== undefined) complete.set(at, [...(complete.get(at) ?? []), index]);
  }
  return complete;
}

/** Free what the nodes hold. */
export function release(nodes: readonly TapeNode[]): void {
  for (const node of nodes) {
    for (const tensor of node.saved) tensor.dispose();
    node.saved = [];
    node.inputs = {};
    node.outputs = [];
  }
}

function onPathOf(nodes: readonly TapeNode[], reached: Set<number>): boolean[] {
  return nodes.map((node) => {
    const reaches = Object.values(node.inputs).some((input) => reached.has(input.id));
    if (reaches) for (const output of node.outputs) if (output.dtype === 'float32') reached.add(output.id);
    return reaches;
  });
}

function back(
  nodes: readonly TapeNode[],
  onPath: readonly boolean[],
  state: Walk,
  done?: (index: number) => void,
): void {
  const { wanted, reached, gradients } = state;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    const dys = node.outputs.map((output) => gradients.get(output.id) ?? null);
    if (onPath[i] && dys.some((dy) => dy !== null)) {
      if (node.again) backAgain(node, node.again, state);
      else scope(() => step(node, dys, reached, gradients));
      for (const output of node.outputs) {
        if (wanted.has(output.id)) continue;
        gradients.get(output.id)?.dispose();
        gradients.delete(output.id);
      }
    }
    release([node]);
    done?.(i);
  }
}

/**
 * Run again what a node stands for, recorded this time, and walk over that in its place: sums of gradients are made in
 * the order in which they would have been made without it.
 */
function backAgain(node: TapeNode, again: NonNullable<TapeNode['again']>, state: Walk): void {
  const { reached, gradients } = state;
  const move = (from: Tensor, to: Tensor): void => {
    const gradient = gradients.get(from.id);
    if (!gradient) return;
    gradients.delete(from.id);
    gradients.set(to.id, gradient);
  };
  const [x, y] = [node.inputs.x, node.outputs[0]];
  const [saved] = node.saved;
  const nodes: TapeNode[] = [];
  try {
    const made = recorded(nodes, () => again(saved));
    if (reached.has(x.id)) reached.add(saved.id);
    move(x, saved);
    move(y, made);
    made.dispose();
    back(nodes, onPathOf(nodes, reached), state);
    move(saved, x);
  } finally {
    release(nodes);
  }
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
