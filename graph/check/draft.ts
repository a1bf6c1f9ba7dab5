/** A node while it is being checked: what is known of it so far. */
import type { CheckedInput } from '../checked.ts';
import type { NodeValue } from '../document/node-form.ts';
import type { NodeDeclaration, Ports } from '../node-type.ts';
import type { Params } from '../params/read.ts';

export interface Draft {
  readonly name: string;
  readonly value: NodeValue;
  /** absent: the type is not known, and nothing about the node can be said */
  readonly declaration?: NodeDeclaration;
  readonly params: Params;
  /** false when params are wrong: the node is not asked for shapes */
  readonly valid: boolean;
  /** absent when they cannot be known */
  readonly ports?: { readonly inputs: Ports; readonly outputs: Ports };
  /** connected inputs whose references all exist */
  readonly inputs: readonly CheckedInput[];
  /** inputs with a mistake of their own: nothing that follows from them is reported */
  readonly broken: ReadonlySet<string>;
}

/** Where an input's wire stands in the document. */
export function wirePath({ name, value }: Draft, port: string): readonly string[] {
  if (value.inputs?.[port] !== undefined) return ['nodes', name, 'inputs', port];
  return value.from === undefined ? ['nodes', name] : ['nodes', name, 'from'];
}

export type Drafts = ReadonlyMap<string, Draft>;
