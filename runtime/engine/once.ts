/** Running once-steps: passes that fill banks, then the nodes that work on what the banks hold. */
import type { StepFacts, Value, Values } from '../node.ts';
import { type Graph, type GraphNode, refOf } from './edges.ts';
import { flattenMetrics } from './metrics-file.ts';
import type { OnceStep } from './once-plan.ts';
import { runPass } from './pass.ts';
import { NodeError } from './run-node.ts';
import type { Sources } from './sources.ts';
import type { BatchHost } from './step.ts';
import { allTensors } from './values.ts';

export interface OnceRun {
  readonly graph: Graph;
  readonly host: BatchHost;
  readonly sources: Sources;
  /** values by ref; those of these steps are added, and take the place of earlier ones */
  readonly values: Map<string, Value>;
  readonly epoch: number;
  readonly iteration: number;
  readonly signal: AbortSignal;
  /** throws to end the work */
  check(): void | Promise<void>;
  metrics(node: string, metrics: Readonly<Record<string, number>>): Promise<void>;
  time(node: string, start: number): void;
}

export async function runOnce(steps: readonly OnceStep[], run: OnceRun): Promise<void> {
  const begun = new Set<string>();
  const remaining = new Map<string, number>();
  for (const step of steps) {
    if (step.kind === 'pass') for (const { name } of step.banks) remaining.set(name, (remaining.get(name) ?? 0) + 1);
  }
  for (const step of steps) {
    await run.check();
    const start = run.host.now();
    if (step.kind === 'node') {
      await runWork(step.node, run);
      run.time(step.node.name, start);
      continue;
    }
    const facts: StepFacts = { phase: step.phase, training: false, iteration: run.iteration, epoch: run.epoch };
    for (const { name } of step.banks) {
      if (!begun.has(name)) run.host.running.folds.get(name)!.reset();
      begun.add(name);
    }
    const source = await run.sources.of(step.program);
    await runPass(run.host, { program: step.program, source, facts, signal: run.signal, check: run.check });
    for (const bank of step.banks) {
      const left = remaining.get(bank.name)! - 1;
      remaining.set(bank.name, left);
      if (left > 0) continue;
      const fold = run.host.running.folds.get(bank.name)!;
      run.host.running.moment('once', run.epoch);
      await keep(bank, await run.host.backend.scopeAsync(async () => fold.finish()), run);
    }
    run.time(step.phase, start);
  }
}

async function runWork(node: GraphNode, run: OnceRun): Promise<void> {
  const { backend, running } = run.host;
  running.moment('once', run.epoch);
  const inputs: Record<string, unknown> = {};
  for (const { port, type, sources } of node.inputs) {
    const refs = Object.values(sources).flat().map(refOf);
    if (refs.length === 0) continue;
    const each = refs.map((ref) => run.values.get(ref));
    inputs[port] = type.many || each.length > 1 ? each : each[0];
  }
  let outputs: Values;
  try {
    outputs = await backend.scopeAsync(async () => running.onceFunctions.get(node.name)!(inputs));
  } catch (error) {
    if (run.signal.aborted) throw error;
    throw new NodeError(`node ${node.name} (${node.declaration.type}) failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
  await keep(node, outputs, run);
}

/** Values of rate once outlive every scope; numbers of kind metrics are reported. */
async function keep(node: GraphNode, outputs: Values | undefined, run: OnceRun): Promise<void> {
  const { tf } = run.host.backend;
  for (const [port, value] of Object.entries(outputs ?? {})) {
    const ref = `${node.name}.${port}`;
    for (const tensor of allTensors(value)) tf.keep(tensor);
    disposeValue(run.values.get(ref));
    run.values.set(ref, value);
    const kind = Object.values(node.outputs[port] ?? {})[0]?.kind;
    if (kind === 'metrics') await run.metrics(node.name, flattenMetrics(value, node.name));
  }
}

export function disposeValue(value: Value | undefined): void {
  for (const tensor of allTensors(value)) if (!tensor.isDisposed) tensor.dispose();
}
