import accuracyList from '../../../nodes/meters/accuracy_list.ts';
import meanAp from '../../../nodes/meters/mean_ap.ts';
import meanApList from '../../../nodes/meters/mean_ap_list.ts';
import precisionAtK from '../../../nodes/meters/precision_at_k_list.ts';
import recallAtK from '../../../nodes/meters/recall_at_k_list.ts';
import type { Fold, NodeType } from '../../../runtime/node.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { nodeContext } from '../../support/node-context.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import { toTensor } from '../layout.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

type Meter = Extract<NodeType, { role: 'bank' | 'meter' }>;

function open(backend: TensorBackend, definition: unknown, params: Record<string, unknown>, outputs: number): Fold {
  const refs = { outputs: Array.from({ length: outputs }, (_, i) => `head${i}.output`) };
  const meter = (definition as Meter).create(nodeContext(backend, definition as NodeType, { params, refs }));
  meter.reset();
  return meter;
}

const FACTS = { phase: 'test', training: false, iteration: 0, epoch: 0 };

const add = (backend: TensorBackend, meter: Fold, outputs: readonly any[], target: OracleTensor) =>
  backend.scopeAsync(async () => {
    const tensors = outputs.map((output) => toTensor(backend, output.ensemble ?? output));
    await meter.add({ outputs: tensors, label: toTensor(backend, target) }, FACTS);
  });

/** The reference names an only output "0"; here its value has no name. */
function unnamed(value: any, names: readonly string[]): any {
  return names.length === 0 ? value['0'] : value;
}

const topK =
  (definition: unknown) =>
  async ({ params, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> => {
    const backend = await context.backend();
    const { topk_values: topk, meter_names: names, num_meters: count } = params;
    const meter = open(backend, definition, { topk, ...(names.length > 0 ? { names } : {}) }, count);
    for (const [i, step] of outputs.steps.entries()) {
      await add(backend, meter, step.inputs.outputs, step.inputs.target);
      const { metrics } = (await meter.finish()) as { metrics: Record<string, any> };
      same(Object.keys(metrics), Object.keys(step.outputs.value), 'names');
      for (const [key, want] of Object.entries<any>(step.outputs.value)) {
        nearEach(metrics[key], unnamed(want, names), tolerance, `${key} after step ${i}`);
      }
    }
  };

/** Numbers in objects and lists of the same form. */
function nearEach(got: any, want: any, tolerance: number, what: string): void {
  if (typeof want !== 'object') nearNumber(got, want, tolerance, what);
  else {
    same(Object.keys(got), Object.keys(want), `names of ${what}`);
    for (const [key, part] of Object.entries(want)) nearEach(got[key], part, tolerance, `${what}.${key}`);
  }
}

async function checkMeanAp({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const meter = open(backend, meanAp, { num_classes: params.num_classes }, 1);
  for (const { scores, target } of inputs.batches) {
    await backend.scopeAsync(async () => {
      await meter.add({ outputs: toTensor(backend, scores), label: toTensor(backend, target) }, FACTS);
    });
  }
  const { metrics } = await meter.finish();
  nearNumber(metrics.mAP, outputs.mAP, tolerance, 'mAP');
  near(metrics.AP, outputs.AP.data, tolerance, 'AP');
}

async function checkMeanApList(one: OracleCase, context: CheckContext): Promise<void> {
  const { params, inputs, outputs, tolerance } = one;
  const backend = await context.backend();
  const { meter_names: names, num_classes, num_meters: count } = params;
  const meter = open(backend, meanApList, { num_classes, ...(names.length > 0 ? { names } : {}) }, count);
  for (const batch of inputs.batches) await add(backend, meter, batch.outputs, batch.target);
  const { metrics } = await meter.finish();
  nearEach(metrics.mAP, unnamed(outputs.value.mAP, names), tolerance, 'mAP');
  nearEach(metrics.AP, unnamed(outputs.value.AP, names), tolerance, 'AP');
}

export default [
  { pattern: /^meters\/accuracy_list_meter\.json$/, check: topK(accuracyList) },
  { pattern: /^meters\/precision_at_k_list_meter\.json$/, check: topK(precisionAtK) },
  { pattern: /^meters\/recall_at_k_list_meter\.json$/, check: topK(recallAtK) },
  { pattern: /^meters\/mean_ap_meter\.json$/, check: checkMeanAp },
  { pattern: /^meters\/mean_ap_list_meter\.json$/, check: checkMeanApList },
] satisfies readonly Checker[];
