import { dirname } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { didYouMean } from '../problem.ts';
import { toJson } from './canonical.ts';
import { putKnobs } from './knobs.ts';
import { load } from './load.ts';
import { type Dict, dict, type Tree, text, toPlain, withEntry } from './located.ts';
import { dropRemoved } from './merge.ts';
import { Mistakes } from './mistakes.ts';
import { fits } from './override-rules.ts';
import { kindOf } from './structure.ts';
import type { OpenGraph } from './subgraph.ts';

/**
 * Reads the documents of graph nodes: each with what it extends, its knobs set to those of the node. A ref is relative
 * to the file that says it, else (override, program) to `folder`; it may name a shipped pipeline.
 */
export function openGraphs(context: { folder: string; pipelines: string; mistakes: Mistakes }): OpenGraph {
  const { folder, pipelines, mistakes } = context;
  return async (name, node, ref) => {
    const { source, place } = ref.origin;
    const base = place && source !== 'override' ? dirname(place.file) : folder;
    const loaded = await load({ document: text(ref)!, folder: base, pipelines, at: ref, where: `${name}.ref` });
    if (isLeft(loaded)) {
      mistakes.found.push(...loaded.left);
      return undefined;
    }
    const own = new Mistakes('schema');
    const set = setKnobs(name, node, dropRemoved(loaded.right.tree), own);
    const { tree } = putKnobs(set, own);
    mistakes.found.push(...own.found);
    return own.none ? { tree, file: loaded.right.file! } : undefined;
  };
}

/** The document with the node's knobs instead of its own defaults. */
function setKnobs(name: string, node: Dict, document: Dict, mistakes: Mistakes): Dict {
  const given = node.entries.get('knobs');
  if (!given) return document;
  if (given.kind !== 'dict') {
    mistakes.add(given, `${name}.knobs`, `is ${kindOf(given)}, not an object`);
    return document;
  }
  const declared = document.entries.get('knobs');
  const knobs = new Map<string, Tree>(declared?.kind === 'dict' ? declared.entries : []);
  for (const [knob, value] of given.entries) {
    const old = knobs.get(knob);
    const where = `${name}.knobs.${knob}`;
    if (!old) mistakes.add(value.key ?? value, where, 'the graph has no such knob', didYouMean(knob, knobs.keys()));
    else if (!fits(old, value)) {
      mistakes.add(value, where, `is ${kindOf(value)}; the graph's own is ${kindOf(old)}, ${toJson(toPlain(old))}`);
    } else knobs.set(knob, value);
  }
  return declared ? withEntry(document, 'knobs', dict(knobs, declared.origin, declared.key)) : document;
}
