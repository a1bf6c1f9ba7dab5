/** Lists cut into parts of about the same weight: the heaviest is halved until there are `count`, or only single items. */
export function split<T>(lists: readonly (readonly T[])[], count: number, weight: (item: T) => number): T[][][] {
  const sum = (items: readonly T[]): number => items.reduce((total, item) => total + weight(item), 0);
  const all = lists.map((list): T[][] => [[...list]]);
  for (let parts = all.length; parts < count; parts++) {
    const divisible = all.flat().filter(({ length }) => length > 1);
    if (divisible.length === 0) break;
    const heaviest = divisible.reduce((a, b) => (sum(b) > sum(a) ? b : a));
    const list = all.find((cut) => cut.includes(heaviest))!;
    list.splice(list.indexOf(heaviest), 1, ...halved(heaviest, sum));
  }
  return all;
}

function halved<T>(items: readonly T[], sum: (items: readonly T[]) => number): [T[], T[]] {
  const cuts = items.slice(1).map((_, i): [T[], T[]] => [items.slice(0, i + 1), items.slice(i + 1)]);
  const heavier = ([a, b]: [T[], T[]]): number => Math.max(sum(a), sum(b));
  return cuts.reduce((best, cut) => (heavier(cut) < heavier(best) ? cut : best));
}
