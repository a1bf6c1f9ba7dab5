/** Batches for meters of average precision: multi-label targets against scores. */
import type { Tensor } from '../../runtime/tensor/types.ts';

/** Rows whose picture is a stand-in are left out. @throws Error when sizes differ or a target is none of 1, 0, -1 */
export async function readRows(
  output: Tensor,
  label: Tensor,
  classes: number,
  valid?: Tensor,
): Promise<{ scores: Float32Array; targets: Int8Array }> {
  const [rows, width] = output.shape;
  if (output.shape.length !== 2 || width !== classes) {
    throw new Error(`scores are [N, ${classes}], not [${output.shape}]`);
  }
  if (String(label.shape) !== String(output.shape)) {
    throw new Error(`the targets are [${label.shape}] and the scores [${output.shape}]`);
  }
  const [scores, targets] = [await output.data(), await label.data()];
  const wrong = targets.find((target) => target !== 1 && target !== 0 && target !== -1);
  if (wrong !== undefined) throw new Error(`targets are 1, 0 or -1 (not known), not ${wrong}`);
  const use = valid && (await valid.data());
  const kept = Array.from({ length: rows }, (_, row) => row).filter((row) => use?.[row] !== 0);
  const result = { scores: new Float32Array(kept.length * width), targets: new Int8Array(kept.length * width) };
  kept.forEach((row, i) => {
    result.scores.set(scores.subarray(row * width, (row + 1) * width) as Float32Array, i * width);
    result.targets.set(targets.subarray(row * width, (row + 1) * width) as Int32Array, i * width);
  });
  return result;
}

/** Mean over the classes that have positives: NaN when none has. */
export function meanAp(aps: Float64Array): number {
  const known = aps.filter((ap) => ap >= 0);
  return known.reduce((a, b) => a + b, 0) / known.length;
}
