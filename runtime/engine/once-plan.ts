/** When once-values are made: before training, or at the moments that run.evaluate names. */
import { ancestors, type Graph, type GraphNode, isOnce, refOf } from './edges.ts';
import { type BatchProgram, compileProgram } from './program.ts';

/** A pass over a phase that fills banks, or a node that works on once-values. */
export type OnceStep =
  | {
      readonly kind: 'pass';
      readonly phase: string;
      readonly banks: readonly GraphNode[];
      readonly program: BatchProgram;
    }
  | { readonly kind: 'node'; readonly node: GraphNode };

export interface OncePlan {
  /** upstream of a training phase, or independent of what is trained: run before the first epoch */
  readonly before: readonly OnceStep[];
  /** depend on trained models: run at the moments of run.evaluate */
  readonly evaluate: readonly OnceStep[];
  /** refs of once-values that batch programs read: kept on disk */
  readonly artifacts: readonly string[];
}

/** @param changing models that training changes */
export function planOnce(
  graph: Graph,
  phases: readonly BatchProgram[],
  trained: ReadonlySet<string>,
  changing: ReadonlySet<string>,
): OncePlan {
  const artifacts = [...new Set(phases.flatMap(({ onceRefs }) => onceRefs))];
  const feeding = ancestors(
    graph,
    artifacts.map((ref) => graph.byName.get(ref.slice(0, ref.lastIndexOf('.')))!),
  );
  const first: GraphNode[] = [];
  const later: GraphNode[] = [];
  for (const node of graph.nodes) {
    if (!isOnce(node)) continue;
    const upstream = ancestors(graph, [node]);
    const afterTraining = [...upstream].some((name) => changing.has(name));
    (afterTraining && !feeding.has(node.name) ? later : first).push(node);
  }
  const done = new Set<string>();
  return {
    before: sequence(graph, first, done, trained),
    evaluate: sequence(graph, later, done, trained),
    artifacts,
  };
}

/** Banks that one pass can fill share it; everything else follows in topological order. */
function sequence(
  graph: Graph,
  nodes: readonly GraphNode[],
  done: Set<string>,
  trained: ReadonlySet<string>,
): OnceStep[] {
  const steps: OnceStep[] = [];
  let waiting = [...nodes];
  while (waiting.length > 0) {
    const ready = waiting.filter((node) => onceInputs(graph, node).every((name) => done.has(name)));
    if (ready.length === 0) {
      throw new Error(`${waiting.map(({ name }) => name).join(', ')} wait for each other's values`);
    }
    const work = ready.filter(({ declaration }) => declaration.role !== 'bank');
    const round = work.length > 0 ? work : ready;
    for (const node of work) steps.push({ kind: 'node', node });
    if (work.length === 0) steps.push(...passes(graph, ready, trained));
    for (const { name } of round) done.add(name);
    waiting = waiting.filter((node) => !round.includes(node));
  }
  return steps;
}

function passes(graph: Graph, banks: readonly GraphNode[], trained: ReadonlySet<string>): OnceStep[] {
  return [...new Set(banks.flatMap((bank) => bank.phases))].map((phase) => {
    const own = banks.filter((bank) => bank.phases.includes(phase));
    const program = compileProgram(graph, { phase, training: false, sinks: own, refs: [], events: false, trained });
    return { kind: 'pass', phase, banks: own, program: program! };
  });
}

/** Once-nodes that this one needs, through whatever lies between. */
function onceInputs(graph: Graph, node: GraphNode): string[] {
  return [...ancestors(graph, [node])].filter((name) => name !== node.name && isOnce(graph.byName.get(name)!));
}

/** Refs of the once-values that a step reads. */
export const readsOnce = (step: OnceStep): readonly string[] =>
  step.kind === 'pass'
    ? step.program.onceRefs
    : step.node.inputs.flatMap((input) => Object.values(input.sources).flat().map(refOf));
