/** A checked graph compiled: what is loaded, what runs per batch, and in which order phases and once-values come. */
import { type Graph, type GraphNode, optimizersIn, sampleChain, trainingPhases } from './edges.ts';
import { hookRefs } from './hook-refs.ts';
import { type OncePlan, planOnce } from './once-plan.ts';
import { type BatchProgram, compileProgram } from './program.ts';
import { changingModels, trainedModels } from './training.ts';

export interface SampleProgram {
  readonly dataset: GraphNode;
  /** in order */
  readonly transforms: readonly GraphNode[];
  readonly collator: GraphNode;
}

export interface Plan {
  readonly graph: Graph;
  /** by collator */
  readonly sources: ReadonlyMap<string, SampleProgram>;
  /** phases of an epoch that have something to do, in order */
  readonly phases: readonly BatchProgram[];
  readonly once: OncePlan;
  readonly trained: ReadonlySet<string>;
}

/** @throws Error when the graph cannot be scheduled: the message names the nodes and says why */
export function createPlan(graph: Graph): Plan {
  const trained = trainedModels(graph);
  const refs = hookRefs(graph);
  const phases = graph.run.phases.flatMap((phase) => {
    const sinks = graph.nodes.filter((node) => node.phases.includes(phase) && endsPhase(graph, node));
    const training = optimizersIn(graph, phase).length > 0;
    const program = compileProgram(graph, {
      phase,
      training,
      sinks,
      refs: sinks.length > 0 ? refs.filter((ref) => runsIn(graph, ref, phase)) : [],
      events: true,
      trained,
    });
    return program ? [program] : [];
  });
  refuseSharedParameters(phases);
  return {
    graph,
    sources: new Map(
      graph.nodes
        .filter(({ declaration }) => declaration.role === 'collator')
        .map((collator) => [collator.name, sampleProgram(graph, collator)]),
    ),
    phases,
    once: planOnce(graph, phases, trained, changingModels(graph, trained)),
    trained,
  };
}

/** Whether the phases of the run train anything. */
export const trains = (plan: Plan): boolean => trainingPhases(plan.graph).length > 0;

const ENDS: ReadonlySet<string> = new Set(['optimizer', 'loss', 'meter', 'target']);

const endsPhase = (graph: Graph, node: GraphNode): boolean =>
  ENDS.has(node.declaration.role) || graph.hooks.some((hook) => hook.from === node.name && node.phases.length > 0);

const runsIn = (graph: Graph, ref: string, phase: string): boolean => {
  const node = graph.byName.get(ref.slice(0, ref.lastIndexOf('.')))!;
  return node.phases.includes(phase) && node.declaration.role !== 'optimizer' && node.declaration.role !== 'bank';
};

function sampleProgram(graph: Graph, collator: GraphNode): SampleProgram {
  const [dataset, ...transforms] = sampleChain(graph, collator).slice(0, -1);
  if (dataset?.declaration.role !== 'dataset') {
    throw new Error(`${collator.name} collates no dataset: give it one, by way of transforms, as its input`);
  }
  return { dataset, transforms, collator };
}

function refuseSharedParameters(phases: readonly BatchProgram[]): void {
  for (const { phase, optimizers } of phases) {
    const owners = new Map<string, string>();
    for (const { node, models } of optimizers) {
      for (const model of models) {
        const owner = owners.get(model);
        if (owner !== undefined) {
          throw new Error(
            `in phase ${phase}, ${owner} and ${node.name} both train ${model}: sum their losses for one optimizer, or freeze it for one of them`,
          );
        }
        owners.set(model, node.name);
      }
    }
  }
}
