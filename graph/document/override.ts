import { toJson } from './canonical.ts';
import { type Dict, fromPlain, type Origin, toPlain } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { type Fail, type KnownPaths, mayAdd, maySet } from './override-rules.ts';
import { locatePath, setAt } from './override-target.ts';
import { type OverrideText, parseOverride } from './override-text.ts';
import { follow, formatPath } from './path.ts';

/** What an override did. */
export interface AppliedOverride {
  /** 1-based, as in "override 3". */
  readonly number: number;
  /** Where in the document. */
  readonly path: readonly string[];
  /** `epochs: 100 → 5`, to be shown. */
  readonly text: string;
}

/**
 * Applies `path=value` and `+path=value` in order. A path without dots may be a knob's name; a node path may name a
 * chain's member as `views/0`. `=` wants a path that exists or is known, and a value of the kind that was there
 * (null goes with every kind, and so does a text with a knob in it); `+` wants one that does not exist.
 */
export function applyOverrides(
  document: Dict,
  overrides: readonly string[],
  known: KnownPaths,
  mistakes: Mistakes,
): { tree: Dict; applied: AppliedOverride[] } {
  let tree = document;
  const applied: AppliedOverride[] = [];
  for (const [index, override] of overrides.entries()) {
    const origin: Origin = { source: 'override', place: { file: `override ${index + 1}` } };
    const fail: Fail = (where, message, cure) => {
      mistakes.add(origin.place, where, message, cure);
      return undefined;
    };
    let parsed: OverrideText;
    try {
      parsed = parseOverride(override);
    } catch (error) {
      fail(
        undefined,
        (error as Error).message,
        'Write key=value, or +key=value to add a key; quote text that JSON would read otherwise',
      );
      continue;
    }
    const path = locatePath(tree, parsed.path);
    const old = follow(tree, path).found;
    const shown = path[0] === 'knobs' ? formatPath(path.slice(1)) : formatPath(path);
    const value = fromPlain(parsed.value, origin, old?.key ?? origin.place);
    const allowed = parsed.adds ? mayAdd(tree, path, old, fail) : maySet(tree, path, parsed, old, known, fail);
    if (!allowed) continue;
    tree = setAt(tree, path, value, origin);
    const change = old ? `${toJson(toPlain(old))} → ${toJson(parsed.value)}` : `added ${toJson(parsed.value)}`;
    applied.push({ number: index + 1, path, text: `${shown}: ${change}` });
  }
  return { tree, applied };
}
