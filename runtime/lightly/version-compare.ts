import { parseWhole } from './number-parse.ts';

/**
 * 1 when version `a` is newer than `b`, -1 when older, 0 when they are equal (lightly.utils.version_compare). A version is
 * three whole numbers, x.y.z. Throws a RangeError for anything else.
 */
export function versionCompare(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < 3; i++) {
    if (left[i] !== right[i]) return left[i] > right[i] ? 1 : -1;
  }
  return 0;
}

function partsOf(version: string): number[] {
  const parts = version.split('.');
  if (parts.length !== 3) throw new RangeError(`"${version}" has ${parts.length} parts; a version is written x.y.z`);
  return parts.map((part) => {
    const number = parseWhole(part);
    if (number === undefined) throw new RangeError(`"${part}" in version "${version}" is not a whole number`);
    return number;
  });
}
