/** The program of one batch: nodes in order with their stages and streams, and when outputs are freed. */
import type { CheckedInput, PortRef } from '../../graph/checked.ts';
import {
  ancestors,
  type Graph,
  type GraphNode,
  isOnce,
  optimizersIn,
  refOf,
  runsPerBatch,
  sampleChain,
  sourcesIn,
} from './edges.ts';
import { assignStreams, COPY } from './lanes.ts';
import {
  type Draft,
  nodeOf,
  type PlannedInput,
  type PlannedStep,
  planFrees,
  planWaits,
  refsRead,
} from './planned-steps.ts';
import { assignStages, STAGES } from './stages.ts';
import { gradientNodes, trainedBy } from './training.ts';

export interface PlannedOptimizer {
  readonly node: GraphNode;
  /** summed, when there are several */
  readonly losses: readonly PortRef[];
  /** models whose parameters it trains */
  readonly models: readonly string[];
}

export interface BatchProgram {
  readonly phase: string;
  readonly training: boolean;
  /** collator whose batches it takes */
  readonly source: string;
  /** refs of the batch that are copied to the device */
  readonly copies: readonly string[];
  readonly steps: readonly PlannedStep[];
  /** scalar losses whose sum is the loss of the batch */
  readonly losses: readonly PortRef[];
  readonly optimizers: readonly PlannedOptimizer[];
  /** steps that another stream waits for */
  readonly marks: ReadonlySet<string>;
  /** stream of each node, and of the batches */
  readonly streamOf: ReadonlyMap<string, string>;
  /** outputs that stay until the step ends, because hooks name them */
  readonly kept: ReadonlySet<string>;
  /** once-values that it reads */
  readonly onceRefs: readonly string[];
}

export interface ProgramRequest {
  readonly phase: string;
  readonly training: boolean;
  /** nodes that it is run for; the nodes before them come with them */
  readonly sinks: readonly GraphNode[];
  /** refs it is run for besides */
  readonly refs: readonly string[];
  /** with the events of a phase; a pass has none */
  readonly events: boolean;
  readonly trained: ReadonlySet<string>;
}

/** The program for what is asked for, or undefined when nothing of it runs in the phase. */
export function compileProgram(graph: Graph, request: ProgramRequest): BatchProgram | undefined {
  const { phase, training, events } = request;
  const wanted = [...request.sinks, ...request.refs.map((ref) => graph.byName.get(nodeOf(ref))!)].filter((node) =>
    node.phases.includes(phase),
  );
  const needed = ancestors(graph, wanted, phase, (_node, producer) => runsPerBatch(producer) && !isOnce(producer));
  const nodes = graph.nodes.filter((node) => needed.has(node.name) && runsPerBatch(node));
  if (nodes.length === 0) return undefined;
  const running = nodes.filter((node) => node.declaration.role !== 'optimizer');
  const gradient = gradientNodes(graph, phase, request.trained);
  const stages = assignStages(graph, running, phase, gradient);
  const ordered = STAGES.flatMap((stage) => running.filter((node) => stages.get(node.name) === stage));

  const optimizers = training
    ? optimizersIn(graph, phase).map((node) => ({
        node,
        losses: lossInput(node).flatMap((input) => sourcesIn(input, phase)),
        models: trainedBy(graph, node, phase),
      }))
    : [];
  const losses = training ? optimizers.flatMap((optimizer) => optimizer.losses) : finalLosses(running, phase);
  const read = readRefs(nodes, phase, [...request.refs, ...losses.map(refOf)]);

  const names = new Set(ordered.map(({ name }) => name));
  const streams = assignStreams(
    ordered.map((node) => ({
      name: node.name,
      stream: node.stream,
      reads: node.inputs.flatMap((input) => sourcesIn(input, phase).map((ref) => ref.node)).filter((n) => names.has(n)),
    })),
  );
  const drafts: Draft[] = [];
  for (const stage of STAGES) {
    for (const node of ordered) {
      if (stages.get(node.name) !== stage) continue;
      drafts.push({
        kind: 'node',
        node,
        stage,
        gradient: training && gradient.has(node.name),
        inputs: plannedInputs(node, phase),
        ports: [...(read.get(node.name) ?? [])],
        stream: streams.get(node.name)!,
      });
    }
    if (events && stage === 'forward') drafts.push({ kind: 'event', event: 'forward' });
    if (events && stage === 'meter') drafts.push({ kind: 'event', event: 'loss_and_meter' });
  }

  const sources = [...new Set(drafts.flatMap(refsRead).map(nodeOf))].filter(
    (name) => graph.byName.get(name)!.declaration.role === 'collator',
  );
  if (sources.length !== 1) {
    throw new Error(
      sources.length === 0
        ? `phase ${phase} reads no batch: ${nodes.map(({ name }) => name).join(', ')} need a collator before them`
        : `phase ${phase} reads the batches of ${sources.join(' and ')}: a phase has one batch source`,
    );
  }
  const [source] = sources;
  const kept = new Set(request.refs);
  const allRefs = [...new Set([...drafts.flatMap(refsRead), ...request.refs])];
  const waits = planWaits(drafts, source);
  const frees = planFrees(drafts, kept, losses.map(refOf), source);
  return {
    phase,
    training,
    source,
    copies: allRefs.filter((ref) => nodeOf(ref) === source),
    steps: drafts.map((draft, i) => ({ ...draft, waits: waits[i], frees: frees[i] })),
    losses,
    optimizers,
    marks: new Set(waits.flat()),
    streamOf: new Map([...streams, [source, COPY]]),
    kept,
    onceRefs: onceRefs(graph, [...allRefs, ...sampleRefs(graph, source)]),
  };
}

const onceRefs = (graph: Graph, refs: readonly string[]): string[] =>
  refs.filter((ref) => isOnce(graph.byName.get(nodeOf(ref))!));

/** What the nodes read that make the samples of a collator. */
const sampleRefs = (graph: Graph, collator: string): string[] =>
  sampleChain(graph, graph.byName.get(collator)!).flatMap(({ inputs }) =>
    inputs.flatMap(({ sources }) => Object.values(sources).flat().map(refOf)),
  );

const lossInput = (optimizer: GraphNode): CheckedInput[] => optimizer.inputs.filter(({ port }) => port === 'loss');

const plannedInputs = (node: GraphNode, phase: string): PlannedInput[] =>
  node.inputs
    .map((input) => ({
      port: input.port,
      sources: sourcesIn(input, phase),
      many: input.type.many === true,
      list: input.type.list === true,
    }))
    .filter(({ sources }) => sources.length > 0);

/** Node → its output ports that are read. */
function readRefs(nodes: readonly GraphNode[], phase: string, refs: readonly string[]): Map<string, Set<string>> {
  const read = new Map<string, Set<string>>();
  const all = [...nodes.flatMap((node) => node.inputs.flatMap((input) => sourcesIn(input, phase).map(refOf))), ...refs];
  for (const ref of all) {
    const node = nodeOf(ref);
    read.set(node, (read.get(node) ?? new Set()).add(ref.slice(node.length + 1)));
  }
  return read;
}

/** Scalar outputs of losses that no other loss or computation reads. */
function finalLosses(nodes: readonly GraphNode[], phase: string): PortRef[] {
  const read = new Set(
    nodes
      .filter(({ declaration }) => declaration.role !== 'meter')
      .flatMap((node) => node.inputs.flatMap((input) => sourcesIn(input, phase).map(refOf))),
  );
  return nodes
    .filter(({ declaration }) => declaration.role === 'loss')
    .flatMap((node) =>
      Object.entries(node.outputs)
        .filter(([, byPhase]) => (byPhase[phase] ?? byPhase['*'])?.kind === 'scalar')
        .map(([port]) => ({ node: node.name, port })),
    )
    .filter((ref) => !read.has(refOf(ref)));
}
