/** Outputs that hooks name in their params: "head.embeddings". They are computed even when no node reads them. */
import type { ResolvedDocument } from '../document/resolve.ts';
import { splitReference } from '../document/wires.ts';
import { didYouMean } from '../problem.ts';
import type { Drafts } from './draft.ts';
import type { Report } from './report.ts';

/** The nodes whose outputs hooks name. Reports an output that its node does not have. */
export function watchedNodes(document: ResolvedDocument, drafts: Drafts, report: Report): ReadonlySet<string> {
  const watched = new Set<string>();
  const look = (value: unknown, path: readonly (string | number)[]): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) look(item, [...path, key]);
    }
    // "node.port" and nothing else: a path or the name of a parameter is not meant
    if (typeof value !== 'string' || !/^[^.]+\.[^.]+$/.test(value)) return;
    const { node, port } = splitReference(value);
    const outputs = drafts.get(node)?.ports?.outputs;
    if (!outputs) return;
    if (outputs[port!]) watched.add(node);
    else {
      report.add({
        layer: 'wiring',
        path,
        where: path.join('.'),
        message: `${node} (${drafts.get(node)!.value.type}) has no output "${port}"`,
        cure: didYouMean(port!, Object.keys(outputs)),
      });
    }
  };
  for (const [i, { type: _, ...params }] of document.hooks.entries()) look(params, ['hooks', i]);
  return watched;
}
