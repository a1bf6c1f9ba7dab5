import { isLeft } from 'fp-ts/lib/Either.js';
import { summarize } from '../../../graph/model/summary.ts';
import type { Shape } from '../../../graph/port.ts';
import { createRandom } from '../../../runtime/random.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, same, within } from '../compare.ts';
import { formulaImages, hashName, loadFormula, uniformAt } from '../formula.ts';
import { weightValues } from '../layout.ts';
import { createSpecModel, describe, gradients, objective } from '../model.ts';
import type { OracleCase } from '../oracle-file.ts';
import { inTorchOrder, nearBrief, nearFeature } from '../summaries.ts';
import { trunkNode } from '../trunk-types.ts';

const asShape = ([channels, rows, columns]: readonly number[]): Shape => [[1], [rows], [columns], [channels]];

/** Names and shapes of parameters and buffers, counts, costs, names of features and blocks; no tensors. */
function checkArchitecture({ params, outputs }: OracleCase): void {
  const { definition, params: own } = trunkNode(params.trunk, params.overrides, params.input_type);
  const spec = describe(definition, own);
  const summary = summarize(spec, [asShape(outputs.flops_input_shape ?? [3, 224, 224])]);
  if (isLeft(summary)) throw new Error(summary.left.join('; '));
  const { parameters, buffers, parameterCount, costs } = summary.right;
  const named = (list: readonly { name: string; shape: readonly number[] }[]) =>
    list.map(({ name, shape }) => [name, [...shape]]).toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  const sorted = (list: readonly [string, number[]][]) => list.toSorted(([a], [b]) => (a < b ? -1 : 1));
  same(
    named(parameters.map(({ name, torchShape: shape }) => ({ name, shape }))),
    sorted(outputs.parameters),
    'parameters',
  );
  same(named(buffers), sorted(outputs.buffers), 'buffers');
  same(parameterCount, outputs.num_parameters, 'number of parameters');
  if (outputs.flops !== undefined) same(costs[0].flops, outputs.flops, 'FLOPs');
  same(costs[0].activations, outputs.activations, 'activations');
  const features = outputs.feat_eval_mapping ? Object.keys(outputs.feat_eval_mapping) : outputs.all_feat_names;
  if (features)
    same(
      features.filter((name: string) => !(name in spec.outputs)),
      [],
      'features that are missing',
    );
}

/** Features of the formula's weights and images in evaluation mode. */
async function checkForward(one: OracleCase, context: CheckContext): Promise<void> {
  const { params, inputs, outputs, tolerance } = one;
  const { definition, params: own } = trunkNode(params.trunk, params.overrides, params.input_type);
  const backend = await context.backend();
  const model = createSpecModel(backend, describe(definition, own));
  loadFormula(backend, model);
  await backend.scopeAsync(async () => {
    const images = formulaImages(backend, 'input', inputs.shape);
    const features = model.forward([images], { training: false, outputs: params.out_feat_keys });
    for (const key of params.out_feat_keys) {
      const want = outputs.features[key];
      // the reference's AlexNets do not flatten what they call flatten; ours do, in the same order
      const flat = key === 'flatten' ? { ...want, shape: [want.shape[0], size(want.shape) / want.shape[0]] } : want;
      await nearFeature(backend, features[key] as never, flat, tolerance, key);
    }
  });
  model.dispose();
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function checkFormula({ inputs, outputs, tolerance }: OracleCase): void {
  const hash = hashName(inputs.name);
  same(hash, outputs.fnv1a, 'hash');
  near(
    Array.from({ length: inputs.n }, (_, i) => uniformAt(hash, i)),
    outputs.u,
    tolerance,
    'u',
  );
}

/** One forward and backward pass in training: gradients of every parameter and of the input, running statistics. */
async function checkTrainStep(one: OracleCase, context: CheckContext): Promise<void> {
  const { params, inputs, outputs, tolerance } = one;
  const { definition, params: own } = trunkNode(params.trunk, params.overrides);
  const backend = await context.backend();
  const model = createSpecModel(backend, describe(definition, own));
  loadFormula(backend, model);
  const names = Object.keys(outputs.grads);
  const images = backend.tf.variable(formulaImages(backend, 'input', inputs.shape));
  const variables = [images, ...names.map((name) => model.variables.get(name)!.variable)];
  await backend.scopeAsync(async () => {
    const {
      result,
      loss,
      gradients: found,
    } = gradients(backend, variables, () => {
      const options = { training: true, outputs: params.out_feat_keys, random: createRandom(0) };
      const made = model.forward([images], options);
      const feature = made[params.out_feat_keys[0]] as never;
      return { result: feature, loss: objective(backend, [feature]) };
    });
    within((await loss.data())[0], outputs.objective, outputs.objective_tol, 'objective');
    await nearFeature(backend, result, outputs.feature, tolerance, 'feature');
    const input = await inTorchOrder(backend, found[0]!);
    nearBrief(input.shape, input.values, outputs.grad_input, 'gradient of the input');
    for (const [i, name] of names.entries()) {
      const { shape, values } = await weightValues(found[i + 1]!);
      nearBrief(shape, values, outputs.grads[name], `gradient of ${name}`);
    }
    for (const [name, want] of Object.entries<any>(outputs.buffers_after)) {
      const { shape, values } = await weightValues(model.variables.get(name)!.variable);
      nearBrief(shape, values, want, name);
    }
    const without = [...model.variables.values()].filter(({ trainable }) => trainable).map(({ name }) => name);
    same(without.filter((name) => !names.includes(name)).sort(), [...outputs.no_grad].sort(), 'without gradient');
  });
  images.dispose();
  model.dispose();
}

export default [
  { pattern: /^trunks\/architectures\.json$/, check: checkArchitecture },
  { pattern: /^trunks\/forward_eval\.json$/, check: checkForward },
  { pattern: /^trunks\/weight_formula\.json$/, check: checkFormula },
  { pattern: /^training\/trunk_train_step\.json$/, check: checkTrainStep },
] satisfies readonly Checker[];
