/** Lists cut into parts of about the same length: the longest is halved until there are `count`, or only ones. */
export function split<T>(lists: readonly (readonly T[])[], count: number): T[][][] {
  const all = lists.map((list): T[][] => [[...list]]);
  for (let parts = all.length; parts < count; parts++) {
    const longest = Math.max(...all.flat().map(({ length }) => length));
    if (longest < 2) break;
    const list = all.find((cut) => cut.some(({ length }) => length === longest))!;
    const at = list.findIndex(({ length }) => length === longest);
    const part = list[at];
    const half = Math.ceil(part.length / 2);
    list.splice(at, 1, part.slice(0, half), part.slice(half));
  }
  return all;
}
