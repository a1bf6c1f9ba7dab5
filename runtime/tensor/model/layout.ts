/** Between our layouts of weights (HWIO, [in, out]) and PyTorch's (OIHW, [out, in]). Other shapes are the same in both. */

/** Our values → PyTorch's order. `shape` is ours: [kh, kw, in / groups, out], [in, out] or anything else. */
export function toTorch(values: Float32Array, shape: readonly number[]): Float32Array {
  return permuted(values, shape, false);
}

/** PyTorch's values → our order. `shape` is ours. */
export function fromTorch(values: Float32Array, shape: readonly number[]): Float32Array {
  return permuted(values, shape, true);
}

/** Our shape → PyTorch's. */
export function torchShape(shape: readonly number[]): number[] {
  if (shape.length === 4) return [shape[3], shape[2], shape[0], shape[1]];
  return shape.length === 2 ? [shape[1], shape[0]] : [...shape];
}

function permuted(values: Float32Array, shape: readonly number[], back: boolean): Float32Array {
  if (shape.length !== 2 && shape.length !== 4) return values.slice();
  const out = shape[shape.length - 1];
  const inner = shape.length === 4 ? shape[2] : shape[0];
  const places = shape.length === 4 ? shape[0] * shape[1] : 1;
  const result = new Float32Array(values.length);
  // ours: [place][inner][out]; PyTorch's: [out][inner][place]
  let ours = 0;
  for (let place = 0; place < places; place++) {
    for (let i = 0; i < inner; i++) {
      for (let o = 0; o < out; o++, ours++) {
        const theirs = (o * inner + i) * places + place;
        if (back) result[ours] = values[theirs];
        else result[theirs] = values[ours];
      }
    }
  }
  return result;
}
