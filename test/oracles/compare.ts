/** Comparisons with reference values; each one counts, so that a case that compares nothing cannot pass. */
import assert from 'node:assert/strict';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { floats, isTensor, type OracleTensor } from './oracle-file.ts';

let comparisons = 0;

/** Comparisons made so far. */
export const compared = (): number => comparisons;

/** The rule of the reference cases: |got − want| ≤ tolerance·(1 + |want|) per element. */
export function near(got: ArrayLike<number>, want: ArrayLike<number | string>, tolerance: number, what: string): void {
  comparisons++;
  assert.equal(got.length, want.length, `${what}: ${got.length} values instead of ${want.length}`);
  for (let i = 0; i < want.length; i++) {
    const expected = Number(want[i]);
    if (Object.is(got[i], expected) || got[i] === expected) continue;
    const error = Math.abs(got[i] - expected);
    if (error <= tolerance * (1 + Math.abs(expected))) continue;
    assert.fail(`${what}[${i}] is ${got[i]}, not ${expected} (off by ${error}, tolerance ${tolerance})`);
  }
}

export function nearNumber(got: number, want: number | string, tolerance: number, what: string): void {
  near([got], [want], tolerance, what);
}

/** Within an absolute tolerance. */
export function within(got: number, want: number | string, tolerance: number, what: string): void {
  comparisons++;
  const error = Math.abs(got - Number(want));
  if (!(error <= tolerance)) assert.fail(`${what} is ${got}, not ${want} (off by ${error}, tolerance ${tolerance})`);
}

/** Shape and values, both in PyTorch's layout. */
export async function nearTensor(got: Tensor, want: OracleTensor, tolerance: number, what: string): Promise<void> {
  comparisons++;
  assert.deepEqual(got.shape, [...want.shape], `${what}: shape`);
  near(await got.data(), want.data, tolerance, what);
}

export function same(got: unknown, want: unknown, what: string): void {
  comparisons++;
  assert.deepEqual(got, want, what);
}

/** The work fails, whatever the words. Resolves to the error. */
export async function fails(work: () => unknown, what: string): Promise<Error> {
  comparisons++;
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  assert.fail(`${what}: it should fail`);
}

/** Float values of a reference tensor or number. */
export const numbersOf = (value: unknown): Float32Array =>
  isTensor(value) ? floats(value) : Float32Array.of(Number(value));
