import type { Random } from '../../runtime/random.ts';

/** Positions of `count` of the weights, one after the other, each with a chance by its weight, none twice. */
export function chooseByWeight(random: Pick<Random, 'next'>, weights: readonly number[], count: number): number[] {
  const left = weights.map((weight, position) => ({ position, weight })).filter(({ weight }) => weight > 0);
  return Array.from({ length: count }, () => {
    let mark = random.next() * left.reduce((sum, { weight }) => sum + weight, 0);
    const found = left.findIndex(({ weight }) => {
      mark -= weight;
      return mark < 0;
    });
    return left.splice(found < 0 ? left.length - 1 : found, 1)[0].position;
  });
}
