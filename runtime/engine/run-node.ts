/** One node, once, in a batch. */
import type { StepFacts, Values } from '../node.ts';
import type { TensorBackend } from '../tensor/types.ts';
import type { RunningModel } from './models.ts';
import type { PlannedNode } from './program.ts';
import type { RunningGraph } from './running.ts';
import { type EdgeValues, gather } from './values.ts';

/** A node that failed; the message names it. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
}

/** Run a node in a scope of its own: what it makes besides its outputs is freed. */
export async function runNode(
  host: { readonly backend: TensorBackend; readonly running: RunningGraph },
  step: PlannedNode,
  values: EdgeValues,
  facts: StepFacts,
): Promise<void> {
  const { name, declaration } = step.node;
  const { running, backend } = host;
  try {
    const inputs = gather(step.inputs, values);
    const fold = running.folds.get(name);
    if (fold) {
      await backend.scopeAsync(async () => fold.add(inputs, facts));
      return;
    }
    const model = running.models.get(name);
    const outputs = await backend.scopeAsync(async () =>
      model ? runModel(model, step, inputs, facts, running) : running.instances.get(name)!.run(inputs, facts),
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

function runModel(
  { node, model, weights }: RunningModel,
  step: PlannedNode,
  inputs: Values,
  { training }: StepFacts,
  running: RunningGraph,
): Values {
  const handedOut = step.ports.filter((port) => Object.hasOwn(weights, port));
  const outputs = step.ports.filter((port) => !Object.hasOwn(weights, port));
  const [x] = Object.values(inputs);
  const random = running.randoms.get(node.name);
  const results: Record<string, unknown> = outputs.length > 0 ? model.forward(x, { training, outputs, random }) : {};
  for (const port of handedOut) {
    const variables = weights[port].map((name) => model.variables.get(name)!.variable);
    const list = Object.values(node.outputs[port] ?? {}).some((value) => value.list);
    results[port] = list || variables.length > 1 ? variables : variables[0];
  }
  return results;
}
