/** Notes on models whose outputs nobody reads. */
import type { ResolvedDocument } from '../document/resolve.ts';
import type { Drafts } from './draft.ts';
import { sourcesOf } from './order.ts';
import type { Report } from './report.ts';

export function noteIdle(drafts: Drafts, document: ResolvedDocument, report: Report): void {
  const read = new Set([...drafts.values()].flatMap(sourcesOf));
  const hooks = JSON.stringify(document.hooks);
  for (const { name, declaration } of drafts.values()) {
    if (declaration?.role !== 'model' || read.has(name) || hooks.includes(`"${name}.`)) continue;
    report.note({
      layer: 'wiring',
      path: ['nodes', name],
      where: name,
      message: 'nothing reads an output of this model, so it does not run',
    });
  }
}
