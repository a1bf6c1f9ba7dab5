import { roundHalfEven } from '../../runtime/data/pixels/round.ts';
import type { PatchMask } from '../../runtime/data/sample.ts';
import type { Random } from '../../runtime/random.ts';

const TRIES = 10;

/**
 * Masks about `count` patches of a grid by rectangles at random places, as BEiT (Bao et al. 2021, arXiv:2106.08254) and
 * iBOT do: each rectangle has an area between a ninth of the smaller side squared and what is left to mask, and an
 * aspect drawn log-uniformly; it is smaller than the grid on both sides and must mask something new and not too much.
 * After ten rectangles in a row that do not fit the mask stays as it is.
 * @param logAspect range of the logarithm of height / width
 */
export function drawMask(
  random: Pick<Random, 'uniform' | 'integer'>,
  [rows, columns]: readonly [number, number],
  count: number,
  logAspect: readonly [number, number],
): PatchMask {
  const cells = new Uint8Array(rows * columns);
  const least = Math.floor(Math.min(rows, columns) / 3) ** 2;
  const rectangle = (left: number): number => {
    const area = random.uniform(least, left);
    const aspect = Math.exp(random.uniform(...logAspect));
    const height = roundHalfEven(Math.sqrt(area * aspect));
    const width = roundHalfEven(Math.sqrt(area / aspect));
    if (width >= columns || height >= rows) return 0;
    const top = random.integer(rows - height + 1);
    const first = random.integer(columns - width + 1);
    const fresh: number[] = [];
    for (let y = top; y < top + height; y++) {
      for (let x = first; x < first + width; x++) if (cells[y * columns + x] === 0) fresh.push(y * columns + x);
    }
    if (fresh.length > left) return 0;
    for (const cell of fresh) cells[cell] = 1;
    return fresh.length;
  };
  for (let masked = 0, added = 1; masked < count && added > 0; masked += added) {
    added = 0;
    for (let attempt = 0; attempt < TRIES && added === 0; attempt++) added = rectangle(count - masked);
  }
  return { rows, columns, cells };
}
