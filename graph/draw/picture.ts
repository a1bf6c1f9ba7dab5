/** What a drawing of a graph shows, before it is Mermaid or DOT: boxes in lanes, and arrows. */
import type { CheckedGraph, CheckedNode } from '../checked.ts';
import type { Role } from '../node-type.ts';
import { arrowsOf } from './arrows.ts';
import { chainsOf } from './chains.ts';
import { costLines, stageRows } from './costs.ts';
import { formatValue, shownParams, wrapped } from './text.ts';

export interface Box {
  readonly id: string;
  /** of the node, or what the nodes of a chain have in common */
  readonly title: string;
  /** empty for a chain */
  readonly type: string;
  readonly role: Role;
  /** params */
  readonly params: readonly string[];
  /** a chain's members, or a model's stages; equally many cells each */
  readonly rows: readonly (readonly string[])[];
  /** parameters and FLOPs */
  readonly costs: readonly string[];
  /** outputs that are read, with their shapes */
  readonly outputs: readonly string[];
  /** what it belongs to, from the outside in */
  readonly lane: readonly string[];
  /** nothing needs it */
  readonly idle: boolean;
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** batch: what is computed on; side: labels and indices; sample; once */
  readonly kind: 'batch' | 'side' | 'sample' | 'once';
}

export interface Picture {
  readonly title: string;
  /** lines below the title */
  readonly subtitle: readonly string[];
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export interface PictureOptions {
  /** show the stages of models */
  readonly expand?: boolean;
}

export function pictureOf(graph: CheckedGraph, options: PictureOptions = {}): Picture {
  const chains = chainsOf(graph);
  const read = new Set(
    graph.nodes.flatMap(({ inputs }) =>
      inputs.flatMap(({ sources }) => Object.values(sources).flatMap((refs) => refs.map((r) => `${r.node}.${r.port}`))),
    ),
  );
  const boxOf = new Map(chains.flatMap((chain) => chain.map(({ name }) => [name, chain[0]!.name])));
  return {
    title: graph.name,
    subtitle: subtitle(graph),
    boxes: chains.map((chain) =>
      chain.length > 1 ? chainBox(graph, chain) : nodeBox(graph, chain[0]!, read, options),
    ),
    arrows: arrowsOf(graph, boxOf),
  };
}

function subtitle({ run, hooks }: CheckedGraph): string[] {
  const epochs = `${run.epochs} ${run.epochs === 1 ? 'epoch' : 'epochs'}`;
  const of = run.phases.length > 0 ? ` of ${run.phases.join(', ')}` : '';
  const names = hooks.map(({ name }) => name);
  return [
    `${epochs}${of}, ${run.precision}`,
    ...wrapped(names.length > 0 ? [`hooks: ${names[0]}`, ...names.slice(1)] : [], 68),
  ];
}

function nodeBox(graph: CheckedGraph, node: CheckedNode, read: ReadonlySet<string>, options: PictureOptions): Box {
  const { name, declaration, params, model } = node;
  return {
    id: name,
    title: name,
    type: declaration.type,
    role: declaration.role,
    params: wrapped(shownParams(declaration, params), 46),
    rows: options.expand && model ? stageRows(model) : [],
    costs: model ? costLines(model) : [],
    outputs: outputLines(node, read),
    lane: laneOf(graph, node),
    idle: node.rate === 'batch' && node.phases.length === 0,
  };
}

function chainBox(graph: CheckedGraph, chain: readonly CheckedNode[]): Box {
  const [first, last] = [chain[0]!, chain.at(-1)!];
  const folder = first.name.slice(0, first.name.lastIndexOf('/'));
  const common = folder !== '' && chain.every(({ name }) => name.startsWith(`${folder}/`));
  const value = Object.values(last.outputs).flatMap((phases) => Object.values(phases))[0];
  const views = value && formatValue(value);
  return {
    id: first.name,
    title: common ? folder : `${first.name} … ${last.name}`,
    type: '',
    role: 'transform',
    params: [],
    rows: chain.map(({ declaration, params }) => [
      declaration.type.slice(declaration.type.indexOf('/') + 1),
      shownParams(declaration, params).join('  '),
    ]),
    costs: [],
    outputs: views ? [`views ${views}`] : [],
    lane: laneOf(graph, first),
    idle: false,
  };
}

/** One line per output that is read, labels and indices aside; shapes that differ by phase are told apart. */
function outputLines({ name, outputs, declaration }: CheckedNode, read: ReadonlySet<string>): string[] {
  const ports = Object.entries(outputs).filter(([port]) => read.has(`${name}.${port}`));
  return ports.flatMap(([port, byPhase]) => {
    const phases = new Map<string, string[]>();
    for (const [phase, value] of Object.entries(byPhase)) {
      if (value.kind === 'label' || value.kind === 'index') continue;
      const shape = formatValue(value);
      if (shape !== undefined && shape !== 'scalar') phases.set(shape, [...(phases.get(shape) ?? []), phase]);
    }
    const several = phases.size > 1;
    const shapes = [...phases].map(([shape, names]) => (several ? `${shape} (${names.join(', ')})` : shape));
    if (shapes.length === 0) return [];
    return [declaration.role === 'dataset' ? shapes.join(' or ') : `${port} ${shapes.join(' or ')}`];
  });
}

function laneOf({ run }: CheckedGraph, { rate, phases, stream }: CheckedNode): string[] {
  if (rate === 'sample') return ['per sample, in workers'];
  if (rate === 'once') return ['once'];
  if (rate === 'phase') return ['once per phase'];
  const trained = run.phases.filter((phase) => phases.includes(phase));
  const others = phases.filter((phase) => !trained.includes(phase));
  const lane = phases.length > 0 ? `per batch: ${[...trained, ...others].join(', ')}` : 'does not run';
  return stream ? [lane, `stream ${stream}`] : [lane];
}
