import dino from '../../../nodes/heads/dino.ts';
import evalMlp from '../../../nodes/heads/eval_mlp.ts';
import mlp from '../../../nodes/heads/mlp.ts';
import projection from '../../../nodes/heads/projection.ts';
import prototypes from '../../../nodes/heads/prototypes.ts';
import siamese from '../../../nodes/heads/siamese_concat_view.ts';
import swav from '../../../nodes/heads/swav.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { modelParameters } from '../../../runtime/tensor/model/parameters.ts';
import type { Tensor, TensorBackend, Variable } from '../../../runtime/tensor/types.ts';
import { createInstance, nodeContext, tensorValue } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { fails, near, nearTensor } from '../compare.ts';
import { fromImages, toImages } from '../layout.ts';
import { createSpecModel, describe, gradients, loadState, nearWeight, objective } from '../model.ts';
import type { OracleCase } from '../oracle-file.ts';

interface HeadRun {
  readonly definition: NodeType;
  readonly params: Readonly<Record<string, unknown>>;
  /** output ports in the reference's order */
  readonly ports: readonly string[];
}

/** Outputs, gradients of the input and of every parameter, buffers afterwards. */
export async function checkHead(one: OracleCase, context: CheckContext, head: HeadRun): Promise<void> {
  const { inputs, outputs, tolerance } = one;
  const backend = await context.backend();
  const x = backend.tf.variable(toImages(backend, inputs.x));
  const value = tensorValue(...x.shape);
  const model = createSpecModel(backend, describe(head.definition, head.params, { features: [value] }));
  loadState(backend, model, inputs.state_dict);
  const parameters = Object.keys(outputs.grad_params ?? {});
  const variables = [x, ...parameters.map((name) => model.variables.get(name)!.variable)];
  await backend.scopeAsync(async () => {
    const { result, gradients: found } = gradients(backend, variables, () => {
      const options = { training: one.params.train_mode, outputs: head.ports, random: createRandom(0) };
      const made = model.forward(x as Tensor, options);
      const list = head.ports.flatMap((port) => made[port]);
      return { result: list, loss: objective(backend, list) };
    });
    for (const [i, want] of outputs.outputs.entries()) {
      await nearTensor(fromImages(backend, result[i]), want, tolerance, `output ${i}`);
    }
    await nearTensor(fromImages(backend, required(found[0], backend, x)), outputs.grad_input, tolerance, 'grad_input');
    for (const [i, name] of parameters.entries()) {
      const gradient = required(found[i + 1], backend, variables[i + 1]);
      await nearWeight(gradient, outputs.grad_params[name], tolerance, `gradient of ${name}`);
    }
    for (const [name, want] of Object.entries<any>(outputs.buffers_after ?? {})) {
      await nearWeight(model.variables.get(name)!.variable, want, tolerance, name);
    }
  });
  x.dispose();
  model.dispose();
}

/** A gradient that is missing is zero. */
const required = (gradient: Tensor | null, { tf }: TensorBackend, variable: Variable): Tensor =>
  gradient ?? tf.zerosLike(variable);

/** Initial values with a multiplier are those without, times it. */
function checkMultiplier({ params, tolerance }: OracleCase): void {
  const { params_multiplier, ...rest } = params;
  const draw = (multiplier: number) => {
    const spec = describe(mlp as NodeType, { ...rest, params_multiplier: multiplier });
    return [...modelParameters(spec).values()].map((p) => p.values(createRandom(1, p.name)));
  };
  const [plain, scaled] = [draw(1), draw(params_multiplier)];
  for (const [i, values] of plain.entries()) {
    near(
      scaled[i],
      values.map((value) => value * params_multiplier),
      tolerance,
      'scaled initial values',
    );
  }
}

/** Reshapes features; there are no weights. */
async function checkSiamese({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { run } = createInstance(siamese as NodeType, nodeContext(backend, siamese as NodeType, { params }));
  const facts = { phase: 'train', training: true, iteration: 0, epoch: 0 };
  const join = async (features: Tensor): Promise<Tensor> => ((await run({ features }, facts)) as Values).output;
  if (outputs.error) {
    await fails(() => join(toImages(backend, inputs.x)), 'joining');
    return;
  }
  const x = backend.tf.variable(toImages(backend, inputs.x));
  await backend.scopeAsync(async () => {
    const tape = backend.openTape();
    try {
      const result = await join(x as Tensor);
      const [gradient] = tape.backward(objective(backend, [result]), [x]);
      await nearTensor(result, outputs.outputs[0], tolerance, 'output');
      await nearTensor(fromImages(backend, gradient!), outputs.grad_input, tolerance, 'grad_input');
    } finally {
      tape.close();
    }
  });
  x.dispose();
}

/** lightly's class → preset of head/projection. */
const PRESETS: Readonly<Record<string, string>> = {
  SimCLRProjectionHead: 'simclr',
  MoCoProjectionHead: 'moco',
  BarlowTwinsProjectionHead: 'barlow_twins',
  BYOLProjectionHead: 'byol',
  BYOLPredictionHead: 'byol_prediction',
  SimSiamProjectionHead: 'simsiam',
  SimSiamPredictionHead: 'simsiam_prediction',
  NNCLRProjectionHead: 'nnclr',
  NNCLRPredictionHead: 'nnclr_prediction',
  SwaVProjectionHead: 'swav',
  MSNProjectionHead: 'msn',
  TiCoProjectionHead: 'tico',
  VICRegProjectionHead: 'vicreg',
  DINOProjectionHead: 'dino',
};

/** One forward in training, then one in evaluation with the statistics it left. */
async function checkLightly({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { head, n_prototypes, ...dims } = params;
  if (head !== 'SwaVPrototypes' && !PRESETS[head]) throw new NotSupported(`no head node for ${head}`);
  const spec =
    head === 'SwaVPrototypes'
      ? describe(prototypes as NodeType, { ...dims, n_prototypes: [n_prototypes].flat() })
      : describe(projection as NodeType, { preset: PRESETS[head], ...dims });
  const port = head === 'SwaVPrototypes' ? 'scores' : 'output';
  const model = createSpecModel(backend, spec);
  loadState(backend, model, inputs.state_dict);
  await backend.scopeAsync(async () => {
    const forward = (training: boolean) => {
      const x = toImages(backend, inputs.x);
      return [model.forward(x, { training, outputs: [port], random: createRandom(0) })[port]].flat()[0];
    };
    await nearTensor(forward(true), outputs.out_train, tolerance, 'output in training');
    for (const [name, want] of Object.entries<any>(outputs.buffers_after_train)) {
      await nearWeight(model.variables.get(name)!.variable, want, tolerance, name);
    }
    await nearTensor(forward(false), outputs.out_eval_after_train, tolerance, 'output in evaluation');
  });
  model.dispose();
}

const withoutTrainMode = ({ train_mode: _, ...params }: OracleCase['params']) => params;

function checkSwavHead(one: OracleCase, context: CheckContext): Promise<void> {
  const { return_embeddings = true, activation_name = 'ReLU', ...params } = withoutTrainMode(one.params);
  return checkHead(one, context, {
    definition: swav as NodeType,
    params: { ...params, activation: activation_name.toLowerCase() },
    ports: [...(return_embeddings ? ['embeddings'] : []), ...(params.num_clusters.length > 0 ? ['scores'] : [])],
  });
}

export default [
  {
    pattern: /^heads\/mlp\.json$/,
    check: (one, context) =>
      one.kind === 'params_multiplier'
        ? checkMultiplier(one)
        : checkHead(one, context, {
            definition: mlp as NodeType,
            params: withoutTrainMode(one.params),
            ports: ['output'],
          }),
  },
  { pattern: /^heads\/swav_head\.json$/, check: checkSwavHead },
  {
    pattern: /^heads\/eval_mlp\.json$/,
    check: (one, context) =>
      checkHead(one, context, {
        definition: evalMlp as NodeType,
        params: withoutTrainMode(one.params),
        ports: ['output'],
      }),
  },
  {
    pattern: /^heads\/dino_head\.json$/,
    check: (one, context) => {
      const { normalize_last_layer: _, train_mode: _mode, ...params } = one.params;
      return checkHead(one, context, { definition: dino as NodeType, params, ports: ['scores'] });
    },
  },
  { pattern: /^heads\/siamese_concat_view\.json$/, check: checkSiamese },
  { pattern: /^heads\/lightly_heads\.json$/, check: checkLightly },
] satisfies readonly Checker[];
