/** The wiring layer, part one: references become ports, and both ends fit. */
import type { CheckedInput, PortRef } from '../checked.ts';
import type { Wire } from '../document/node-form.ts';
import { splitReference } from '../document/wires.ts';
import type { Ports } from '../node-type.ts';
import type { PortType } from '../port.ts';
import { didYouMean } from '../problem.ts';
import { kindsFit, mismatch } from './compatible.ts';
import type { Draft } from './draft.ts';
import type { Report } from './report.ts';

type Path = readonly (string | number)[];

/** Drafts with their inputs connected. */
export function wireNodes(drafts: readonly Draft[], report: Report): Map<string, Draft> {
  const byName = new Map(drafts.map((draft) => [draft.name, draft]));
  const wired = new Map<string, Draft>();
  for (const draft of drafts) wired.set(draft.name, new Wiring(draft, byName, report).connect());
  return wired;
}

class Wiring {
  readonly #draft: Draft;
  readonly #drafts: ReadonlyMap<string, Draft>;
  readonly #report: Report;
  readonly #inputs: CheckedInput[] = [];
  readonly #broken = new Set<string>();

  constructor(draft: Draft, drafts: ReadonlyMap<string, Draft>, report: Report) {
    this.#draft = draft;
    this.#drafts = drafts;
    this.#report = report;
  }

  connect(): Draft {
    const { name, value, ports } = this.#draft;
    const declared: Ports = ports?.inputs ?? {};
    const primary = Object.keys(declared)[0];
    const wires = new Map<string, { wire: Wire; path: Path }>();
    for (const [port, wire] of Object.entries(value.inputs ?? {})) {
      const path = ['nodes', name, 'inputs', port];
      if (!ports || declared[port]) wires.set(port, { wire, path });
      else {
        const cure = didYouMean(port, Object.keys(declared));
        this.#add(path, name, `${value.type} has no input "${port}"`, cure, true);
      }
    }
    if (value.from !== undefined && ports) {
      const path = ['nodes', name, 'from'];
      if (primary === undefined) this.#add(path, name, `${value.type} takes no input`, 'Remove "from"', true);
      else if (wires.has(primary)) {
        this.#add(
          path,
          `${name}.${primary}`,
          `is connected twice: by "from" and by "inputs"`,
          'Remove one of the two',
          true,
        );
      } else wires.set(primary, { wire: value.from, path });
    }
    for (const [port, { wire, path }] of wires) this.#connectPort(port, declared[port], wire, path);
    for (const [port, { optional, description }] of Object.entries(declared)) {
      if (optional || wires.has(port)) continue;
      const what = description ? ` (${description})` : '';
      this.#broken.add(port);
      this.#add(
        ['nodes', name],
        `${name}.${port}`,
        `this input is not connected${what}`,
        this.#candidates(port, declared[port]!),
      );
    }
    // inputs in the order in which the type declares them
    const order = Object.keys(declared);
    this.#inputs.sort((a, b) => order.indexOf(a.port) - order.indexOf(b.port));
    return { ...this.#draft, inputs: this.#inputs, broken: this.#broken };
  }

  #connectPort(port: string, type: PortType | undefined, wire: Wire, path: Path): void {
    const byPhase = typeof wire === 'object' && !Array.isArray(wire);
    const sources: Record<string, readonly PortRef[]> = {};
    for (const [phase, refs] of byPhase ? Object.entries(wire) : [['*', wire] as const]) {
      const at = byPhase ? [...path, phase] : path;
      const listed = Array.isArray(refs) ? refs : [refs];
      const found = listed.flatMap((ref, i) => {
        const source = this.#resolve(ref, port, type, Array.isArray(refs) ? [...at, i] : at);
        return source ? [source] : [];
      });
      if (found.length < listed.length || found.length === 0) this.#broken.add(port);
      else sources[phase] = found;
      if (type && listed.length > 1 && !type.many) {
        const message = `takes one value and is given ${listed.length}: ${listed.join(', ')}`;
        this.#broken.add(port);
        this.#add(at, `${this.#draft.name}.${port}`, message, 'Choose one, or connect one by phase');
      }
    }
    if (type && Object.keys(sources).length > 0) this.#inputs.push({ port, type, sources });
  }

  /** The port that `ref` names; undefined when there is none (reported) or it cannot be known. */
  #resolve(ref: string, port: string, type: PortType | undefined, path: Path): PortRef | undefined {
    const { node, port: named } = splitReference(ref);
    const where = `${this.#draft.name}.${port}`;
    const source = this.#drafts.get(node);
    if (!source) {
      const others = this.#report.crowded ? [] : [...this.#drafts.keys()].filter((name) => name !== this.#draft.name);
      this.#add(path, where, `there is no node "${node}"`, didYouMean(node, others));
      return undefined;
    }
    if (!source.ports) return undefined;
    const outputs = source.ports.outputs;
    const output = named ?? primaryOutput(outputs, type);
    if (output === undefined) {
      this.#add(path, where, `${node} (${source.value.type}) has no outputs`);
      return undefined;
    }
    const from = outputs[output];
    if (!from) {
      const cure = didYouMean(output, Object.keys(outputs)) || `Its outputs are: ${Object.keys(outputs).join(', ')}`;
      this.#add(path, where, `${node} (${source.value.type}) has no output "${output}"`, cure);
      return undefined;
    }
    const wrong = type && mismatch(from, type);
    if (!wrong) return { node, port: output };
    const fitting = Object.keys(outputs).filter((name) => type && !mismatch(outputs[name]!, type));
    const cure = fitting.length > 0 ? `Outputs of ${node} that fit: ${fitting.join(', ')}` : wrong.cure;
    this.#add(path, where, `${node}.${output} ${wrong.reason}`, cure);
    return undefined;
  }

  /** Outputs in the document that would fit an input, when they are few. */
  #candidates(port: string, type: PortType): string {
    const fitting: string[] = [];
    for (const { name, ports } of this.#report.crowded ? [] : this.#drafts.values()) {
      if (name === this.#draft.name) continue;
      for (const [output, from] of Object.entries(ports?.outputs ?? {})) {
        if (!mismatch(from, type) && (output === port || kindsFit(from, type))) fitting.push(`${name}.${output}`);
      }
      if (fitting.length > 60) break;
    }
    const named = fitting.filter((ref) => ref.endsWith(`.${port}`));
    const shown = named.length > 0 ? named : fitting;
    if (shown.length > 1 && shown.length <= 6) return `Outputs that fit: ${shown.join(', ')}`;
    return `Connect it: "inputs": { "${port}": "${shown.length === 1 ? shown[0] : 'node.output'}" }`;
  }

  #add(path: Path, where: string, message: string, cure?: string, key?: boolean): void {
    this.#report.add({ layer: 'wiring', path, where, message, cure, key });
  }
}

/** The first output of the input's kind, else the first. */
function primaryOutput(outputs: Ports, wanted: PortType | undefined): string | undefined {
  const names = Object.keys(outputs);
  return names.find((name) => wanted && outputs[name]!.kind === wanted.kind) ?? names[0];
}
