/** Weights and inputs that a formula gives from a name, so that large models need no files (see the cases' notes). */
import { fromTorch, torchShape } from '../../runtime/tensor/model/layout.ts';
import type { Model } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';

/** FNV-1a, 32 bits, of the UTF-8 bytes. */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Element i of the uniform numbers of a name, in [0, 1). */
export function uniformAt(hash: number, i: number): number {
  let x = (hash + i) >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return (x >>> 0) / 2 ** 32;
}

/** Values of a state-dict entry in PyTorch's order. `shape` is PyTorch's. */
export function formulaWeights(name: string, shape: readonly number[]): Float32Array {
  const hash = hashName(name);
  const size = shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(size);
  if (name.endsWith('num_batches_tracked')) return values;
  const fan = size / shape[0];
  for (let i = 0; i < size; i++) {
    const u = uniformAt(hash, i);
    if (name.endsWith('running_mean')) values[i] = (2 * u - 1) * 0.1;
    else if (name.endsWith('running_var')) values[i] = 0.5 + u;
    else if (shape.length >= 2) values[i] = (2 * u - 1) * Math.sqrt(6 / fan);
    else if (name.endsWith('.weight')) values[i] = 0.5 + 0.5 * u;
    else values[i] = (2 * u - 1) * 0.1;
  }
  return values;
}

/** Give every variable of a model its formula value; `fullName` is what the formula reads. */
export function loadFormula({ tf }: TensorBackend, model: Model, fullName = (name: string): string => name): void {
  for (const [name, { variable }] of model.variables) {
    const values = fromTorch(formulaWeights(fullName(name), torchShape(variable.shape)), variable.shape);
    const dtype = variable.dtype as 'float32' | 'int32';
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, dtype)));
  }
}

/** Images [N, H, W, C] of the formula, which counts in NCHW; values in [-1, 1). */
export function formulaImages({ tf }: TensorBackend, name: string, nchw: readonly number[]): Tensor {
  const hash = hashName(name);
  const size = nchw.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => 2 * uniformAt(hash, i) - 1);
  return tf.tidy(() => tf.transpose(tf.tensor(values, [...nchw]), [0, 2, 3, 1]));
}
