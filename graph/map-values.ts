/** A record with the same keys, in the same order. */
export function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  f: (value: A, key: string) => B,
): Record<string, B> {
  const result: Record<string, B> = {};
  for (const key of Object.keys(record)) result[key] = f(record[key]!, key);
  return result;
}
