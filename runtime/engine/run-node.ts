/** One node, once, in a batch. */
import type { ModelKeys } from '../../graph/model/keys.ts';
import { viewsPerGroup } from '../../graph/views.ts';
import type { StepFacts, Values } from '../node.ts';
import { createRandom } from '../random.ts';
import type { DeviceStreams, TensorBackend } from '../tensor/types.ts';
import type { Autocast } from './autocast.ts';
import type { GraphNode } from './edges.ts';
import type { RunningModel } from './models.ts';
import type { PlannedNode } from './planned-steps.ts';
import type { RunningGraph } from './running.ts';
import { mixedBetweenRanks } from './shared-batch.ts';
import { sizeLanes } from './size-lanes.ts';
import { type EdgeValues, gather } from './values.ts';

/** A node that failed; the message names it. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
}

/** Run a node in a scope of its own: what it makes besides its outputs is freed. */
export async function runNode(host: Host, step: PlannedNode, values: EdgeValues, facts: StepFacts): Promise<void> {
  const { name, declaration } = step.node;
  const { running, backend, autocast } = host;
  try {
    const gathered = gather(step.inputs, values);
    const inScope = <T>(run: (inputs: Values) => T | Promise<T>): Promise<T> =>
      backend.scopeAsync(async () => autocast.node(declaration.role, facts.training, gathered, async (i) => run(i)));
    const fold = running.folds.get(name);
    if (fold) {
      await inScope((inputs) => fold.add(inputs, facts));
      return;
    }
    const model = running.models.get(name);
    const outputs = await inScope((inputs) =>
      model ? runModel(model, step, inputs, facts, host) : running.instances.get(name)!.run(inputs, facts),
    );
    for (const port of step.ports) {
      if (outputs[port] === undefined) throw new Error(`it gave nothing on its output ${port}`);
      values.set(`${name}.${port}`, outputs[port]);
    }
  } catch (error) {
    throw new NodeError(
      `node ${name} (${declaration.type}) failed in phase ${facts.phase}, epoch ${facts.epoch}, iteration ${facts.iteration}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

interface Host {
  readonly backend: TensorBackend;
  readonly streams: DeviceStreams;
  readonly running: RunningGraph;
  readonly autocast: Autocast;
}

async function runModel(
  { node, model, weights, follows }: RunningModel,
  step: PlannedNode,
  inputs: Values,
  facts: StepFacts,
  { running, backend, streams }: Host,
): Promise<Values> {
  const { phase, iteration, epoch } = facts;
  const training = facts.training && iteration < (follows?.eval_mode_from_iteration ?? Infinity);
  const handedOut = step.ports.filter((port) => Object.hasOwn(weights, port));
  const outputs = step.ports.filter((port) => !Object.hasOwn(weights, port));
  const [x] = Object.values(inputs);
  const random = running.randoms.get(node.name);
  const crops = (node.params as ModelKeys).single_pass_every_crop ? cropsIn(node, phase) : undefined;
  const forward = (images: Parameters<typeof model.forward>[0]): Record<string, unknown> => {
    if (outputs.length === 0) return {};
    const lanes = Array.isArray(images) && images.length > 1 ? sizeLanes(streams, node.name, step.stream) : undefined;
    return model.forward(images, { training, outputs, random, lanes, crops });
  };
  const mix = createRandom(running.seed, 'mix', phase, epoch, iteration);
  const mixes = follows?.shuffle === true && facts.training;
  const results = mixes ? await mixedBetweenRanks(backend.tf, running.ranks, mix, x, forward) : forward(x);
  for (const port of handedOut) {
    const variables = weights[port].map((name) => model.variables.get(name)!.variable);
    const list = Object.values(node.outputs[port] ?? {}).some((value) => value.list);
    results[port] = list || variables.length > 1 ? variables : variables[0];
  }
  return results;
}

/** Crops in each group of the images that a model reads in a phase; undefined where they are no list. */
function cropsIn({ inputValues }: GraphNode, phase: string): readonly number[] | undefined {
  const [images] = Object.values(inputValues[phase] ?? inputValues['*'] ?? {})[0] ?? [];
  return images?.list ? viewsPerGroup(images) : undefined;
}
