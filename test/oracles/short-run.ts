/** A few training steps of small models from node types: models, a loss, the optimizer, as the engine puts them together. */
import type { ModelSpec } from '../../graph/model/layers.ts';
import sgd from '../../nodes/optimizers/sgd.ts';
import { optimizedParameters, type RunningModel } from '../../runtime/engine/models.ts';
import { createState } from '../../runtime/engine/state.ts';
import type { NodeType, OptimizedParameter } from '../../runtime/node.ts';
import { createRandom } from '../../runtime/random.ts';
import type { Model } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { optimizerContext } from '../support/node-context.ts';
import { openSchedules, scheduleOf } from './checkers/schedules.ts';
import { loadFormula } from './formula.ts';
import { createSpecModel, describe } from './model.ts';

export interface NamedModel {
  /** what the reference has before the names of this model's state dict: "trunk.", "heads.0." */
  readonly prefix: string;
  readonly model: Model;
  readonly head: boolean;
  readonly spec: ModelSpec;
}

/** A model of a node type with the formula's weights under its full names. */
export function openModel(
  backend: TensorBackend,
  definition: NodeType,
  params: Readonly<Record<string, unknown>>,
  prefix: string,
  frozen = false,
): NamedModel {
  const spec = { ...describe(definition, params), frozen };
  const model = createSpecModel(backend, spec);
  loadFormula(backend, model, (name) => prefix + name);
  return { prefix, model, spec, head: definition.role === 'model' && definition.head === true };
}

/** Forward in training; one output. */
export const through = (
  { model }: NamedModel,
  x: Tensor | readonly Tensor[],
  output: string,
  training = true,
): Tensor => model.forward(x, { training, outputs: [output], random: createRandom(0) })[output] as Tensor;

export interface Trainer {
  readonly parameters: readonly OptimizedParameter[];
  /** gradients of the loss, by full name */
  readonly gradients: ReadonlyMap<string, Tensor | null>;
  lr(where: number): readonly number[];
  /** One step: forward and loss on a tape, backward, update. */
  step(where: number, forward: () => Promise<Tensor>): Promise<number>;
}

/** The optimizer node over the models, with the schedule and settings of the case. */
export async function openTrainer(
  backend: TensorBackend,
  models: readonly NamedModel[],
  { opt, sched, steps }: Readonly<Record<string, any>>,
): Promise<Trainer> {
  const parameters = models.flatMap(({ model, head, prefix }) => {
    const running = { node: { name: 'node' }, model, head, weights: {} } as unknown as RunningModel;
    return optimizedParameters([running]).map((one) => ({ ...one, name: prefix + one.name.slice('node.'.length) }));
  });
  const lr = scheduleOf(sched);
  const definition = sgd as unknown as Extract<NodeType, { role: 'optimizer' }>;
  const optimizer = definition.create(
    optimizerContext(backend, definition, parameters, {
      params: { ...opt, lr },
      schedules: await openSchedules(lr, sched.num_epochs ?? steps),
      state: createState(backend),
    }),
  );
  const gradients = new Map<string, Tensor | null>();
  return {
    parameters,
    gradients,
    lr: (where) => optimizer.lr(where),
    async step(where, forward) {
      const tape = backend.openTape();
      try {
        const loss = await forward();
        const found = tape.backward(
          loss,
          parameters.map(({ variable }) => variable),
        );
        for (const [i, { name }] of parameters.entries()) gradients.set(name, found[i]);
        const [value] = await loss.data();
        optimizer.step(found, where);
        return value;
      } finally {
        tape.close();
      }
    },
  };
}
