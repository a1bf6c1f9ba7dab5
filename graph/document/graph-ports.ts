import { didYouMean } from '../problem.ts';
import { type Dict, dict, scalar, type Tree, text } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { kindOf } from './structure.ts';
import { joinReference, type Level, splitReference } from './wires.ts';

/** The node name that stands for the outside while a graph is expanded; no node can have it. */
export const OUTSIDE = '$inputs';

/** The entries of an object below a key; none when it is not there. */
export function section(tree: Dict, key: string): ReadonlyMap<string, Tree> {
  const value = tree.entries.get(key);
  return value?.kind === 'dict' ? value.entries : new Map();
}

/** What each declared input is connected to. */
export function connectInputs(
  name: string,
  node: Dict,
  declared: ReadonlyMap<string, Tree>,
  mistakes: Mistakes,
): Map<string, Tree> {
  const wires = new Map(section(node, 'inputs'));
  const ports = [...declared.keys()];
  for (const [port, wire] of wires) {
    if (!declared.has(port))
      mistakes.add(wire.key ?? wire, `${name}.${port}`, 'the graph has no such input', didYouMean(port, ports));
  }
  const from = node.entries.get('from');
  const [primary] = ports;
  if (from && primary === undefined) mistakes.add(from.key ?? from, `${name}.from`, 'the graph declares no inputs');
  else if (from && wires.has(primary!))
    mistakes.add(
      from.key ?? from,
      `${name}.${primary}`,
      'the input is connected twice, by "from" and by "inputs"',
      'Remove one of the two',
    );
  else if (from) wires.set(primary!, from);
  for (const [port, declaration] of declared) {
    if (wires.has(port)) continue;
    const place = declaration.key?.line === undefined ? '' : `, declared in line ${declaration.key.line} of the graph,`;
    mistakes.add(
      node.key ?? node,
      `${name}.${port}`,
      `the input${place} is not connected`,
      `Add "${port}" to "inputs"`,
    );
  }
  return wires;
}

/** The nodes inside, with the ports behind declared inputs connected to the outside. */
export function openInputs(
  inside: ReadonlyMap<string, Tree>,
  declared: ReadonlyMap<string, Tree>,
  mistakes: Mistakes,
): Map<string, Tree> {
  const nodes = new Map(inside);
  for (const [port, declaration] of declared) {
    for (const target of declaration.kind === 'list' ? declaration.items : [declaration]) {
      const written = text(target);
      const where = `inputs.${port}`;
      if (written === undefined) {
        mistakes.add(target, where, `is ${kindOf(target)}, not a node's input`, 'Write "node.port"');
        continue;
      }
      const { node: nodeName, port: inner } = splitReference(written);
      const node = nodes.get(nodeName);
      if (node?.kind !== 'dict') {
        mistakes.add(target, where, `there is no node ${nodeName} in the graph`, didYouMean(nodeName, nodes.keys()));
        continue;
      }
      const wire = scalar(joinReference(OUTSIDE, port), target.origin, declaration.key);
      const changed = connectPort(node, inner, wire);
      if (changed) nodes.set(nodeName, changed);
      else mistakes.add(target, where, `${written} is connected inside the graph already`, 'Remove one of the two');
    }
  }
  return nodes;
}

function connectPort(node: Dict, port: string | undefined, wire: Tree): Dict | undefined {
  const entries = new Map(node.entries);
  if (port === undefined)
    return entries.has('from') ? undefined : dict(entries.set('from', wire), node.origin, node.key);
  const inputs = entries.get('inputs');
  const ports = inputs?.kind === 'dict' ? inputs.entries : new Map<string, Tree>();
  if (ports.has(port)) return undefined;
  entries.set('inputs', dict(new Map(ports).set(port, wire), inputs?.origin ?? wire.origin, inputs?.key));
  return dict(entries, node.origin, node.key);
}

export function readOutputs(
  declared: ReadonlyMap<string, Tree>,
  level: Level,
  mistakes: Mistakes,
): Map<string, string> {
  const outputs = new Map<string, string>();
  for (const [port, declaration] of declared) {
    const where = `outputs.${port}`;
    if (text(declaration) === undefined) {
      mistakes.add(declaration, where, `is ${kindOf(declaration)}, not a node's output`, 'Write "node.port"');
      continue;
    }
    const reference = text(level.resolve(declaration, where))!;
    const { node } = splitReference(reference);
    if (level.nodes.has(node)) outputs.set(port, reference);
    else
      mistakes.add(declaration, where, `there is no node ${node} in the graph`, didYouMean(node, level.nodes.keys()));
  }
  return outputs;
}
