// A region: the places of a batch of maps for which the same filter places lie inside the input.

/** Fields of a region's description, i32 each, in the order of runtime/tensor/backends/wasm/regions.ts. */
// @ts-ignore: decorator
@inline
export function field(region: usize, index: usize): i32 {
  return load<i32>(region + (index << 2));
}

export const IMAGES: usize = 0;
/** rows and columns of the region, counted from its first */
export const HEIGHT: usize = 1;
export const WIDTH: usize = 2;
/** bytes from a tensor's begin to the region's first place, then per image, row and column: of the one side … */
export const SOURCE: usize = 3;
/** … and of the other */
export const TARGET: usize = 7;
/** runs, and Σ of their lengths */
export const RUNS: usize = 11;
export const DEPTH: usize = 12;

/** Bytes from a side's begin to the place of this number, images outermost. `side` is SOURCE or TARGET. */
export function placeOffset(region: usize, side: usize, index: i32): i32 {
  const width = field(region, WIDTH);
  const perImage = field(region, HEIGHT) * width;
  const image = index / perImage;
  const inside = index - image * perImage;
  const row = inside / width;
  const column = inside - row * width;
  return (
    field(region, side) +
    image * field(region, side + 1) +
    row * field(region, side + 2) +
    column * field(region, side + 3)
  );
}
