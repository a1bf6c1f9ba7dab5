/** Notes on models whose outputs nobody reads. */
import type { Drafts } from './draft.ts';
import { sourcesOf } from './order.ts';
import type { Report } from './report.ts';
import { leaderOf } from './sharing.ts';

/** @param watched nodes whose outputs hooks name */
export function noteIdle(drafts: Drafts, watched: ReadonlySet<string>, report: Report): void {
  const read = new Set([...drafts.values()].flatMap((draft) => [...sourcesOf(draft), leaderOf(draft) ?? '']));
  for (const { name, declaration } of drafts.values()) {
    if (declaration?.role !== 'model' || read.has(name) || watched.has(name)) continue;
    report.note({
      layer: 'wiring',
      path: ['nodes', name],
      where: name,
      message: 'nothing reads an output of this model, so it does not run',
    });
  }
}
