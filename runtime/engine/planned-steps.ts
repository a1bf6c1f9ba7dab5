/** The steps of a batch's program: what each waits for on other streams, and which outputs are freed after it. */
import type { PortRef } from '../../graph/checked.ts';
import { type GraphNode, refOf } from './edges.ts';
import { COPY, MAIN } from './lanes.ts';
import type { Stage } from './stages.ts';

export interface PlannedInput {
  readonly port: string;
  readonly sources: readonly PortRef[];
  /** takes several references */
  readonly many: boolean;
  /** takes a list of values */
  readonly list: boolean;
}

export interface PlannedNode {
  readonly kind: 'node';
  readonly node: GraphNode;
  readonly stage: Stage;
  /** recorded on the tape */
  readonly gradient: boolean;
  readonly inputs: readonly PlannedInput[];
  /** output ports that somebody reads */
  readonly ports: readonly string[];
  readonly stream: string;
  /** what must be done first on other streams: node names, "begin of step", or "event forward" */
  readonly waits: readonly string[];
  /** refs whose last reader this is */
  readonly frees: readonly string[];
}

export interface PlannedEvent {
  readonly kind: 'event';
  readonly event: 'forward' | 'loss_and_meter';
  readonly waits: readonly string[];
  readonly frees: readonly string[];
}

export type PlannedStep = PlannedNode | PlannedEvent;

/** A step before its waits and frees are known. */
export type Draft = Omit<PlannedNode, 'waits' | 'frees'> | Omit<PlannedEvent, 'waits' | 'frees'>;

export const nodeOf = (ref: string): string => ref.slice(0, ref.lastIndexOf('.'));

export const refsRead = (draft: Draft): string[] =>
  draft.kind === 'node' ? draft.inputs.flatMap(({ sources }) => sources.map(refOf)) : [];

/** Main as a step finds it: the step before has updated the parameters there. */
export const BEGIN = 'begin of step';

/**
 * A node waits for what it reads on other streams. A stream other than main begins where main does. An event waits for
 * all streams; what runs after it on another stream than main waits for the event, since observers may have changed
 * parameters.
 */
export function planWaits(drafts: readonly Draft[], source: string): string[][] {
  const streams = new Map<string, string>([[source, COPY]]);
  const tails = new Map<string, string>();
  let event = BEGIN;
  const seenEvent = new Set([MAIN]);
  return drafts.map((draft) => {
    if (draft.kind === 'event') {
      const waits = [...tails].filter(([stream]) => stream !== MAIN).map(([, name]) => name);
      event = `event ${draft.event}`;
      seenEvent.clear();
      seenEvent.add(MAIN);
      return waits;
    }
    const { name } = draft.node;
    const waits = new Set<string>();
    for (const ref of refsRead(draft)) {
      const producer = nodeOf(ref);
      const stream = streams.get(producer);
      if (stream !== undefined && stream !== draft.stream) waits.add(producer);
    }
    if (!seenEvent.has(draft.stream)) waits.add(event);
    seenEvent.add(draft.stream);
    streams.set(name, draft.stream);
    tails.set(draft.stream, name);
    return [...waits];
  });
}

/**
 * An output is freed after its last reader. An event reads all that was made since the one before it. What a recorded
 * node makes or reads is not freed here: backward needs it, and frees it.
 */
export function planFrees(
  drafts: readonly Draft[],
  kept: ReadonlySet<string>,
  losses: readonly string[],
  source: string,
): string[][] {
  const last = new Map<string, number>();
  const held = new Set([...kept, ...losses]);
  const fresh = new Set<string>();
  drafts.forEach((draft, i) => {
    if (draft.kind === 'event') {
      for (const ref of fresh) last.set(ref, i);
      fresh.clear();
      return;
    }
    for (const ref of refsRead(draft)) {
      last.set(ref, i);
      if (draft.gradient) held.add(ref);
      if (nodeOf(ref) === source) fresh.add(ref);
    }
    for (const port of draft.ports) {
      const ref = `${draft.node.name}.${port}`;
      last.set(ref, i);
      fresh.add(ref);
      if (draft.gradient) held.add(ref);
    }
  });
  const frees: string[][] = drafts.map(() => []);
  for (const [ref, i] of last) if (!held.has(ref)) frees[i].push(ref);
  return frees;
}
