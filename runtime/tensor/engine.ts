/**
 * The engine internals of tfjs-core 4.22 that the tape and the scopes rest on, in one typed place. A change of tfjs's
 * version is a change of this file, tape.ts and scope.ts.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from './types.ts';

export interface TapeNode {
  kernelName: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  /** kept clones, which the tape must dispose of */
  saved: Tensor[];
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
  /** ours, in place of a gradient: run again, from what was saved of the input `x`, what led to the one output */
  again?: (x: Tensor) => Tensor;
}

export interface EngineScope {
  readonly id: number;
  readonly track: Tensor[];
}

interface EngineState {
  activeTape: TapeNode[] | null;
  /** above 0 while operations are recorded */
  gradientDepth: number;
  activeScope: EngineScope | null;
  scopeStack: EngineScope[];
}

interface DifferentiableCall {
  forwardFunc(backend: unknown, save: (tensors: Tensor[]) => void): Tensor | Tensor[];
  backwardsFunc(dy: Tensor | Tensor[], saved: Tensor[]): Record<string, () => Tensor>;
  inputs: Record<string, Tensor>;
}

interface EngineInternals {
  readonly state: EngineState;
  startScope(): void;
  track(tensor: Tensor): Tensor;
  runKernelFunc<T extends Tensor | Tensor[]>(call: DifferentiableCall): T;
}

export const engine = tf.engine() as unknown as EngineInternals;

/** A tensor as tfjs marks it: scopes leave kept ones alone. */
export interface Tracked {
  readonly kept: boolean;
  scopeId: number;
}
