/**
 * Items in the order of `sortedKeys`; item i belongs to key i (lightly.utils.reordering.sort_items_by_keys). Of equal
 * keys the last one's item is taken. Throws a RangeError when the lengths differ or a sorted key is not among the keys.
 */
export function sortItemsByKeys<K, T>(keys: readonly K[], items: readonly T[], sortedKeys: readonly K[]): T[] {
  if (keys.length !== items.length || keys.length !== sortedKeys.length) {
    throw new RangeError(
      `${keys.length} keys, ${items.length} items and ${sortedKeys.length} sorted keys were given; give as many of each`,
    );
  }
  const byKey = new Map(keys.map((key, i) => [key, items[i]]));
  return sortedKeys.map((key) => {
    if (!byKey.has(key)) throw new RangeError(`the sorted key ${JSON.stringify(key)} is not among the keys`);
    return byKey.get(key) as T;
  });
}
