/** The shapes layer's last question: is there a label where one is needed? */
import { type Draft, type Drafts, wirePath } from './draft.ts';
import { sourcesIn } from './need.ts';
import { sourcesOf } from './order.ts';
import type { Phases } from './phases.ts';
import type { Report } from './report.ts';
import type { Inferred } from './shapes.ts';

/** Reports nodes that need labels from a collator whose samples have none, and names the dataset. */
export function checkLabels(
  order: readonly Draft[],
  drafts: Drafts,
  phases: Phases,
  inferred: ReadonlyMap<string, Inferred>,
  report: Report,
): void {
  for (const draft of order) {
    for (const input of draft.inputs) {
      if (input.type.optional || input.type.kind !== 'label') continue;
      for (const { node, port } of phases.of(draft.name).flatMap((phase) => sourcesIn(input, phase))) {
        const values = Object.values(inferred.get(node)?.outputs[port] ?? {});
        if (!values.some(({ sample }) => sample && !sample.labelled)) continue;
        const datasets = datasetsBehind(drafts.get(node)!, drafts);
        const named = datasets.map(({ name, value }) => `${name} (${value.type})`).join(', ');
        report.add({
          layer: 'shapes',
          path: wirePath(draft, input.port),
          where: `${draft.name}.${input.port}`,
          message: `needs labels, and the samples of ${named || node} have none`,
          cure: 'Give the dataset labels (a folder per class, or a file of labels), or take a node that needs none',
        });
      }
    }
  }
}

function datasetsBehind(draft: Draft, drafts: Drafts): Draft[] {
  if (draft.declaration?.role === 'dataset') return [draft];
  return sourcesOf(draft).flatMap((name) => datasetsBehind(drafts.get(name)!, drafts));
}
