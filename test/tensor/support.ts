/** Shared by the tests of runtime/tensor: values by formula, layouts, comparison, numerical gradients, leaks. */
import assert from 'node:assert/strict';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';
import { reportMissing } from './availability.ts';

export const backendsUnderTest = ['cpu', 'wasm', 'torch', 'tensorflow', 'webgpu'] as const;

/** Input number k of a case: a hash of i + 7919 k in [-1, 1), as in fixtures/pytorch.py. */
export function formula(k: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    let x = (i + 7919 * k) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    return ((x >>> 0) / 2 ** 32) * 2 - 1;
  });
}

export const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

export function values({ tf }: TensorBackend, k: number, shape: readonly number[]): Tensor {
  return tf.tensor(formula(k, size(shape)), [...shape], 'float32');
}

/** |got - want| ≤ tolerance · (1 + |want|) for each value. */
export function near(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(got.length, want.length, `${what}: number of values`);
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i] - want[i]);
    if (error <= tolerance * (1 + Math.abs(want[i])) || (Number.isNaN(got[i]) && Number.isNaN(want[i]))) continue;
    assert.fail(`${what}: value ${i} is ${got[i]}, expected ${want[i]}`);
  }
}

/** Fails where f leaves tensors behind. */
export async function leakFree(backend: TensorBackend, f: () => unknown): Promise<void> {
  const before = backend.memory();
  await f();
  assert.deepEqual(backend.memory(), before, 'tensors are left behind');
}

/** The objective Σ f(inputs) · weights, and its gradients by the tape, as plain values. */
export function tapeGradients(
  backend: TensorBackend,
  inputs: readonly Tensor[],
  f: (...inputs: Variable[]) => Tensor,
  weights = (shape: readonly number[]): Tensor => values(backend, 100, shape),
): { output: Float32Array; gradients: Float32Array[] } {
  return backend.scope(() => {
    const { tf } = backend;
    const variables = inputs.map((input) => tf.variable(input));
    const tape = backend.openTape();
    try {
      const output = f(...variables);
      const loss = tf.sum(tf.mul(output, weights(output.shape)));
      const gradients = tape.backward(loss, variables);
      return {
        output: output.dataSync() as Float32Array,
        gradients: gradients.map((g, i) => (g ? (g.dataSync() as Float32Array) : new Float32Array(inputs[i].size))),
      };
    } finally {
      tape.close();
      for (const variable of variables) variable.dispose();
    }
  });
}

/** Check gradients against central differences of the objective, input by input. */
export function checkGradients(
  backend: TensorBackend,
  inputs: readonly Tensor[],
  f: (...inputs: Tensor[]) => Tensor,
  { step = 1e-2, tolerance = 2e-3 }: { step?: number; tolerance?: number } = {},
): void {
  const { tf } = backend;
  const { gradients } = tapeGradients(backend, inputs, f);
  const objective = (which: number, changed: Float32Array): number =>
    backend.scope(() => {
      const given = inputs.map((input, i) => (i === which ? tf.tensor(changed, input.shape, 'float32') : input));
      const output = f(...given).dataSync() as Float32Array;
      const weights = formula(100, output.length);
      return output.reduce((sum, value, i) => sum + value * weights[i], 0);
    });
  inputs.forEach((input, which) => {
    const at = input.dataSync() as Float32Array;
    for (let i = 0; i < at.length; i++) {
      const moved = (by: number) => objective(which, Object.assign(at.slice(), { [i]: at[i] + by }));
      const numerical = (moved(step) - moved(-step)) / (2 * step);
      const error = Math.abs(gradients[which][i] - numerical);
      if (error <= tolerance * (1 + Math.abs(numerical))) continue;
      assert.fail(`gradient of input ${which} at ${i} is ${gradients[which][i]}, by differences ${numerical}`);
    }
  });
}

/** Register a suite once per backend; `get` gives the backend inside tests. */
export function onEachBackend(title: string, tests: (get: () => TensorBackend, name: string) => void): void {
  for (const name of backendsUnderTest) onBackend(name, title, tests);
}

/** Where the backend is missing, the tests that need it do not exist: their number and the reason are printed. */
export function onBackend(name: string, title: string, tests: (get: () => TensorBackend, name: string) => void): void {
  let backend: TensorBackend;
  const define = (): void => tests(() => backend, name);
  if (reportMissing(name, `${title} on ${name}`, define)) return;
  describe(`${title} on ${name}`, function () {
    if (name === 'webgpu') this.timeout(600_000); // a software adapter compiles shaders for seconds, deep models for a minute
    before(async () => {
      backend = await openBackend(name);
    });
    beforeEach(() => backend.activate());
    define();
  });
}
