import type { Dict, Json, Tree } from './located.ts';
import { text } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { kindOf } from './structure.ts';

/** An output of a node: `node.port`, or `node` for its primary output. */
export type Reference = string;

/** What an input is connected to: one output, several in order, or either by phase. */
export type Wire = Reference | Reference[] | { [phase: string]: Reference | Reference[] };

/** A node of a resolved document. Keys besides these are the params of its type, `of` (the nodes it shares) included. */
export interface NodeValue {
  type: string;
  inputs?: { [port: string]: Wire };
  /** What the primary input is connected to. */
  from?: Wire;
  phase?: string;
  stream?: string;
  [param: string]: Json | undefined;
}

/** The part of a node that every type has: its type, its wires, its lane. */
export function checkNodeForm(name: string, node: Dict, mistakes: Mistakes): void {
  const type = node.entries.get('type');
  if (!type) mistakes.add(node.key ?? node, name, 'the node has no type', 'Add "type": "…"');
  else if (text(type) === undefined) mistakes.add(type, `${name}.type`, `is ${kindOf(type)}, not a text`);
  for (const key of ['phase', 'stream']) {
    const value = node.entries.get(key);
    if (value && text(value) === undefined) mistakes.add(value, `${name}.${key}`, `is ${kindOf(value)}, not a text`);
  }
  const from = node.entries.get('from');
  if (from) checkWire(`${name}.from`, from, mistakes);
  const inputs = node.entries.get('inputs');
  if (inputs && inputs.kind !== 'dict') {
    mistakes.add(inputs, `${name}.inputs`, `is ${kindOf(inputs)}, not an object`, 'Write { "port": "node.port" }');
  }
  if (inputs?.kind === 'dict') for (const [port, wire] of inputs.entries) checkWire(`${name}.${port}`, wire, mistakes);
}

function checkWire(where: string, wire: Tree, mistakes: Mistakes): void {
  if (wire.kind !== 'dict') checkReferences(where, wire, mistakes);
  else for (const [phase, ofPhase] of wire.entries) checkReferences(`${where} (${phase})`, ofPhase, mistakes);
}

function checkReferences(where: string, wire: Tree, mistakes: Mistakes): void {
  for (const reference of wire.kind === 'list' ? wire.items : [wire]) {
    const written = text(reference);
    const cure = 'Write "node.port", or "node" for its primary output';
    if (written === undefined)
      mistakes.add(reference, where, `is connected to ${kindOf(reference)}, not to an output`, cure);
    else if (!/^[^.]+(\.[^.]+)?$/.test(written)) mistakes.add(reference, where, `"${written}" names no output`, cure);
  }
}
