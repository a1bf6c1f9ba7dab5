/**
 * Checks a resolved document and gives the graph that runs. Layers: schema, wiring, shapes, environment. Within the first
 * three, whatever does not follow from another mistake is found in the same run; the machine is looked at last, when
 * everything else is right.
 */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { CheckedGraph, CheckedNode, RunSettings } from '../checked.ts';
import type { ResolvedDocument } from '../document/resolve.ts';
import type { NestedNode, NodeProblem } from '../node-type.ts';
import type { Types } from '../params/read.ts';
import type { Problem } from '../problem.ts';
import type { Registry } from '../registry.ts';
import type { Draft } from './draft.ts';
import { runsPerBatch } from './flow.ts';
import { broughtHooks, checkHooks } from './hooks.ts';
import { noteIdle } from './idle.ts';
import { checkLabels } from './labels.ts';
import { draftNodes, loadTypes } from './nodes.ts';
import { checkOnce } from './once.ts';
import { orderNodes } from './order.ts';
import { findPhases, type Phases } from './phases.ts';
import { Report } from './report.ts';
import { checkPhases, readRun, type SaidSettings } from './run-settings.ts';
import { type Inferred, inferShapes, reportProblem } from './shapes.ts';
import { checkSharing } from './sharing.ts';
import { checkStep } from './step.ts';
import { watchedNodes } from './watched.ts';
import { wireNodes } from './wires.ts';

export interface CheckOptions {
  /** false: do not look at folders and files, as for a drawing; default true */
  readonly machine?: boolean;
  /** looks at the machine: backends, memory; asked last */
  readonly environment?: (graph: CheckedGraph) => Promise<readonly Problem[]>;
}

export async function checkDocument(
  document: ResolvedDocument,
  registry: Registry,
  options: CheckOptions = {},
): Promise<Either<Problem[], CheckedGraph>> {
  const report = new Report(document);
  const types = await loadTypes(document, registry);
  const nodes = draftNodes(document, types, registry, report);
  const hooks = checkHooks(document, types, registry, report);
  const step = checkStep(document, types, registry, report);
  const settings = readRun(document, report);

  const drafts = wireNodes(nodes, report);
  const watched = watchedNodes(document, drafts, report);
  const circles = report.problems.length;
  const order = orderNodes(drafts, report);
  if (report.problems.length > circles) return left(report.problems);
  const phases = findPhases(order, drafts, watched, report);
  checkOnce(order, drafts, phases, report);
  if (nodes.every(({ declaration }) => declaration)) checkPhases(settings?.phases, new Set(phases.declared), report);
  noteIdle(drafts, watched, report);

  const inferred = inferShapes(order, drafts, phases, types, report);
  checkSharing(drafts, inferred, report);
  checkLabels(order, drafts, phases, inferred, report);
  if (report.problems.length > 0 || !settings) return left(report.problems);

  const checked = order.map((draft) => checkedNode(draft, phases, inferred.get(draft.name)!));
  const graph: CheckedGraph = {
    name: document.name,
    nodes: checked,
    byName: new Map(checked.map((node) => [node.name, node])),
    hooks: [...(await broughtHooks(drafts, registry)), ...hooks],
    ...(step ? { step } : {}),
    run: runSettings(settings, phases),
    notes: [...document.notes, ...report.notes],
    document: document.value,
  };
  if (options.machine !== false) await checkMachine(order, types, report);
  if (report.problems.length > 0) return left(report.problems);
  const problems = (await options.environment?.(graph)) ?? [];
  return problems.length > 0 ? left([...problems]) : right(graph);
}

async function checkMachine(order: readonly Draft[], types: Types, report: Report): Promise<void> {
  const asked = order.filter(({ declaration }) => declaration?.check);
  const found = await Promise.all(
    asked.map(async ({ name, declaration, params }) => {
      const nested = async ({ dataset, ...own }: NestedNode): Promise<readonly NodeProblem[]> =>
        (await types.get(`dataset/${dataset}`)?.check?.({ name, params: own, nested })) ?? [];
      return declaration!.check!({ name, params, nested });
    }),
  );
  for (const [i, problems] of found.entries()) {
    for (const problem of problems) reportProblem(asked[i]!, problem, report, 'environment');
  }
}

function checkedNode(draft: Draft, phases: Phases, { outputs, inputValues, symbols, model }: Inferred): CheckedNode {
  const { name, declaration, params, inputs, value } = draft;
  return {
    name,
    declaration: declaration!,
    params,
    inputs,
    outputs,
    inputValues,
    symbols,
    phases: phases.of(name),
    rate: rateOf(draft),
    stream: value.stream ?? '',
    model,
  };
}

function rateOf(draft: Draft): CheckedNode['rate'] {
  const { role } = draft.declaration!;
  if (role === 'dataset' || role === 'transform') return 'sample';
  if (runsPerBatch(draft)) return 'batch';
  return draft.inputs.some(({ type }) => type.rate === 'phase') ? 'phase' : 'once';
}

function runSettings({ phases: said, ...settings }: SaidSettings, phases: Phases): RunSettings {
  const { optimizer, bank, meter, loss } = phases.with;
  const trained = phases.all.filter((phase) => optimizer.has(phase));
  const watched = phases.all.filter(
    (phase) => !optimizer.has(phase) && !bank.has(phase) && (meter.has(phase) || loss.has(phase)),
  );
  return { ...settings, phases: said ?? [...trained, ...watched] };
}
