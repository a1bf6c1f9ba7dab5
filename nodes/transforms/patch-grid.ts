/** A grid of patches, each at a random place in its cell. */
import type { NodeProblem } from '../../graph/node-type.ts';
import type { Pixels } from '../../runtime/data/pixels/pixels.ts';
import type { View } from '../../runtime/data/sample.ts';
import type { Random } from '../../runtime/random.ts';
import { withForm } from './parts.ts';

export interface PatchGrid {
  /** cells along each side */
  readonly cells: number;
  /** side of a cell, and of a patch, in pixels */
  readonly cell: number;
  readonly patch: number;
}

/** The grid on a picture; cells are measured on its height, as in VISSL. Returns a problem when there is none. */
export function patchGrid(
  { height, width }: { height: number; width: number },
  patches: number,
  jitter: number,
): PatchGrid | NodeProblem {
  const cells = Math.round(Math.sqrt(patches));
  const cell = Math.floor(height / cells);
  if (cells * cells !== patches)
    return { at: 'num_patches', message: `num_patches is ${patches}, not a square number` };
  if (cell * cells > width)
    return { message: `the picture is ${height}×${width}: higher than wide, so cells do not fit` };
  if (cell <= jitter) {
    return { message: `cells of ${cell} pixels leave no patch after a jitter of ${jitter}`, cure: 'Use larger crops' };
  }
  return { cells, cell, patch: cell - jitter };
}

/** Column by column, from the left; x is drawn before y. */
export function cutPatches(
  pixels: Pixels,
  view: View,
  { cells, cell, patch }: PatchGrid,
  random: Pick<Random, 'integer'>,
): View[] {
  const patches: View[] = [];
  const jitter = cell - patch;
  for (let column = 0; column < cells; column++) {
    for (let row = 0; row < cells; row++) {
      const x = column * cell + random.integer(jitter);
      const y = row * cell + random.integer(jitter);
      patches.push(withForm(pixels.crop(view, x, y, patch, patch), view));
    }
  }
  return patches;
}
