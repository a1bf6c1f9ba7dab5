/** Layers → steps that run one after another; a batch norm and the ReLU behind it become one step. */
import * as tf from '@tensorflow/tfjs-core';
import type { BatchNorm, Layer, Residual } from '../../../graph/model/layers.ts';
import type { Random } from '../../random.ts';
import type { BatchNormGroup, BatchNormState, FusedOps, Tensor, Variable } from '../types.ts';
import { activations, dropout, flatten, localResponseNorm, sum } from './activations.ts';
import { groupNorm, scaledWeight } from './normalised.ts';
import { join } from './parameters.ts';
import { addPositions, eachToken, layerNorm, selfAttention } from './tokens.ts';

export interface Pass {
  readonly training: boolean;
  /** for dropout; needed in training only where the model has dropout */
  readonly random: Random | undefined;
  /** these steps have run before on the same values: running statistics have them already */
  readonly again?: boolean;
  /** runs what moves the running statistics of a layer; default: at once */
  readonly normalise?: (layer: string, work: () => Tensor) => Tensor;
}

export interface NormStep {
  readonly op: 'batch_norm';
  readonly path: string;
  readonly layer: BatchNorm;
  readonly relu: boolean;
  /** names of its parameters and buffers: made once, read in every step */
  readonly names: BatchNormNames;
}

export type Step =
  | NormStep
  | { readonly op: 'relu' }
  | { readonly op: 'other'; readonly layer: Layer; run(x: Tensor, pass: Pass): Tensor };

type BatchNormNames = Readonly<
  Record<'weight' | 'bias' | 'running_mean' | 'running_var' | 'num_batches_tracked', string>
>;

export interface Parts {
  readonly ops: FusedOps;
  /** ranks that share the statistics of batch norm */
  readonly batchNormGroup?: BatchNormGroup;
  /** a parameter or buffer by its full name */
  variable(name: string): Variable;
}

/** The steps of a layer that stands at `path`. */
export function stepsOf(layer: Layer, path: string, parts: Parts): Step[] {
  const here = join(path, layer.name);
  const { ops } = parts;
  const at = (kind: string) => parts.variable(join(here, kind));
  const named = (kind: string) => {
    const name = join(here, kind);
    return () => parts.variable(name);
  };
  const simple = (run: (x: Tensor, pass: Pass) => Tensor): Step[] => [{ op: 'other', layer, run }];

  switch (layer.op) {
    case 'sequence':
      return layer.layers.flatMap((next) => stepsOf(next, here, parts));
    case 'identity':
      return [];
    case 'batch_norm':
      return [{ op: 'batch_norm', path: here, layer, relu: false, names: batchNormNames(here) }];
    case 'relu':
      return [{ op: 'relu' }];
    case 'conv2d': {
      const [weight, bias] = [named('weight'), layer.bias === false ? () => null : named('bias')];
      return simple((x) => ops.conv2d(x, weight(), bias(), layer));
    }
    case 'linear':
      return simple((x) => {
        const weight = layer.weightNorm ? scaledWeight(at('weight_v'), at('weight_g')) : at('weight');
        return eachToken(x, (rows) => ops.linear(rows, weight, layer.bias === false ? null : at('bias')));
      });
    case 'layer_norm':
      return simple((x) => layerNorm(ops, x, at('weight'), at('bias'), layer.eps));
    case 'tokens':
      return simple((x) => addPositions(x, layer, layer.classToken ? at('cls_token') : null, at('pos_embed')));
    case 'self_attention':
      return simple((x) => selfAttention(x, layer.heads));
    case 'first_token':
      return simple((x) => tf.squeeze(tf.slice(x, [0, 0, 0], [-1, 1, -1]), [1]));
    case 'mean_token':
      return simple((x) => tf.mean(x, 1));
    case 'layer_norm_2d':
      return simple((x) =>
        (layer.groups ?? 1) > 1
          ? groupNorm(x, at('weight'), at('bias'), layer.groups!, layer.eps)
          : ops.layerNorm2d(x, at('weight'), at('bias'), layer.eps),
      );
    case 'residual':
      return simple(residual(layer, here, parts));
    case 'gate': {
      const gate = fuse(stepsOf(layer.gate, here, parts));
      return simple((x, pass) => {
        const gates = runSteps(gate, x, pass, parts);
        const y = tf.mul(x, gates);
        if (gates !== x) gates.dispose();
        return y;
      });
    }
    case 'max_pool':
      return simple((x) => ops.maxPool(x, layer));
    case 'avg_pool':
      return simple((x) => ops.avgPool(x, layer));
    case 'adaptive_avg_pool':
      return simple((x) => ops.adaptiveAvgPool(x, layer.size));
    case 'adaptive_max_pool':
      return simple((x) => ops.adaptiveMaxPool(x, layer.size));
    case 'flatten':
      return simple(flatten);
    case 'l2_normalize':
      return simple((x) => ops.l2Normalize(x));
    case 'local_response_norm':
      return simple((x) => localResponseNorm(x, layer));
    case 'select_channels':
      return simple((x) => tf.gather(x, tf.tensor1d([...layer.channels], 'int32'), -1));
    case 'dropout':
      return simple((x, { training, random }) => {
        if (!training) return x;
        if (!random) throw new Error(`dropout ${here} needs the random stream of the step in training`);
        return dropout(x, layer.p ?? 0.5, random.fork(here));
      });
    default:
      return simple(activations[layer.op]);
  }
}

function batchNormNames(here: string): BatchNormNames {
  return {
    weight: join(here, 'weight'),
    bias: join(here, 'bias'),
    running_mean: join(here, 'running_mean'),
    running_var: join(here, 'running_var'),
    num_batches_tracked: join(here, 'num_batches_tracked'),
  };
}

/** Batch norm followed by ReLU → batch norm with ReLU. */
export function fuse(steps: readonly Step[]): Step[] {
  const fused: Step[] = [];
  for (const step of steps) {
    const last = fused.at(-1);
    if (step.op === 'relu' && last?.op === 'batch_norm' && !last.relu)
      fused[fused.length - 1] = { ...last, relu: true };
    else fused.push(step);
  }
  return fused;
}

/** Run steps; what one step makes for the next is freed at once (the tape keeps what gradients need). */
export function runSteps(steps: readonly Step[], x: Tensor, pass: Pass, parts: Parts): Tensor {
  let current = x;
  for (const step of steps) {
    const next = runStep(step, current, pass, parts);
    if (current !== x && current !== next) current.dispose();
    current = next;
  }
  return current;
}

function runStep(step: Step, x: Tensor, pass: Pass, parts: Parts): Tensor {
  if (step.op === 'other') return step.run(x, pass);
  if (step.op === 'relu') return tf.relu(x);
  return runNorm(step, x, pass, parts);
}

/** @param addend added behind the batch norm, before ReLU */
function runNorm(step: NormStep, x: Tensor, pass: Pass, parts: Parts, addend?: Tensor): Tensor {
  const { path, layer, relu, names } = step;
  const { ops, variable, batchNormGroup: group } = parts;
  const { training, again = false } = pass;
  const affine = layer.affine !== false;
  const normalise = (state: BatchNormState): Tensor =>
    ops.batchNorm(x, affine ? variable(names.weight) : null, affine ? variable(names.bias) : null, state, {
      training,
      eps: layer.eps,
      momentum: layer.momentum,
      relu,
      group,
      addend,
    });
  if (training && again) return withPassingStatistics(layer.features, normalise);
  const run = (): Tensor =>
    normalise({
      runningMean: variable(names.running_mean),
      runningVar: variable(names.running_var),
      batches: variable(names.num_batches_tracked),
    });
  return training && pass.normalise ? pass.normalise(path, run) : run();
}

/** With running statistics that nobody reads, in the place of the model's. */
function withPassingStatistics(features: number, normalise: (state: BatchNormState) => Tensor): Tensor {
  const passing = (): Variable => tf.variable(tf.zeros([features]), false);
  const state = { runningMean: passing(), runningVar: passing() };
  try {
    return normalise(state);
  } finally {
    tf.dispose(Object.values(state));
  }
}

function residual(layer: Residual, here: string, parts: Parts): (x: Tensor, pass: Pass) => Tensor {
  const main = fuse(stepsOf(layer.main, here, parts));
  const shortcut = layer.shortcut ? fuse(stepsOf(layer.shortcut, here, parts)) : [];
  const last = main.at(-1);
  const drops = (layer.dropPath ?? 0) > 0;
  if (last?.op === 'batch_norm' && !last.relu && layer.activation !== 'none' && !drops)
    return normResidual(main.slice(0, -1), last, shortcut, parts);
  const add = layer.activation === 'none' ? sum : parts.ops.addRelu;
  return (x, pass) => {
    const a = pathDropped(runSteps(main, x, pass, parts), layer.dropPath ?? 0, pass, join(here, layer.dropName));
    const b = runSteps(shortcut, x, pass, parts);
    const y = add(a, b);
    for (const t of [a, b]) if (t !== x) t.dispose();
    return y;
  };
}

/** A residual whose main path ends in a batch norm: the sum and the ReLU are taken with it. */
function normResidual(main: readonly Step[], norm: NormStep, shortcut: readonly Step[], parts: Parts) {
  return (x: Tensor, pass: Pass): Tensor => {
    const a = runSteps(main, x, pass, parts);
    const b = runSteps(shortcut, x, pass, parts);
    const y = runNorm(norm, a, pass, parts, b);
    for (const t of [a, b]) if (t !== x) t.dispose();
    return y;
  };
}

/** Stochastic depth. Huang et al. 2016, arXiv:1603.09382. */
function pathDropped(x: Tensor, p: number, { training, random }: Pass, here: string): Tensor {
  if (!training || p === 0) return x;
  if (!random) throw new Error(`the residual ${here} needs the random stream of the step in training`);
  const stream = random.fork(here);
  const kept = Float32Array.from({ length: x.shape[0] }, () => (stream.next() < p ? 0 : 1 / (1 - p)));
  const y = tf.mul(x, tf.tensor(kept, [x.shape[0], ...x.shape.slice(1).map(() => 1)]));
  x.dispose();
  return y;
}
