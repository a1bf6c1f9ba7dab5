/** Node types where samples are made: those that a loader uses, and how a thread gets them. */
import type { NodeType } from '../node.ts';
import { ProgramError } from './program-error.ts';
import type { NodeUse } from './tasks.ts';

/** A node type and where it was found. */
export interface LocatedType {
  readonly declaration: NodeType;
  /** URL of its module; absent when a program declared it in memory, which no worker thread can import */
  readonly module?: string;
}

/** The types that these nodes use, transforms and datasets written inline in their params included. */
export function typesInUse(uses: readonly Pick<NodeUse, 'type' | 'params'>[]): Set<string> {
  const types = new Set<string>();
  const visit = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    for (const kind of ['transform', 'dataset'] as const) {
      const name = (value as Record<string, unknown>)[kind];
      if (typeof name === 'string') types.add(`${kind}/${name}`);
    }
    for (const inner of Object.values(value)) visit(inner);
  };
  for (const { type, params } of uses) {
    types.add(type);
    visit(params);
  }
  return types;
}

/** In a worker thread: imports types from their modules. Throws a ProgramError when a module does not have its type. */
export async function importTypes(modules: Readonly<Record<string, string>>): Promise<Map<string, NodeType>> {
  const found = await Promise.all(
    Object.entries(modules).map(async ([name, url]) => {
      const exported = ((await import(url)) as { default?: NodeType | NodeType[] }).default;
      const type = [exported].flat().find((node) => node?.type === name || node?.aliases?.includes(name));
      if (!type) throw new ProgramError(`${url} does not declare ${name}`);
      return [name, type] as const;
    }),
  );
  return new Map(found);
}

/** The type by that name, which must have this role. */
export function typeOfRole<R extends NodeType['role']>(
  types: ReadonlyMap<string, NodeType>,
  name: string,
  role: R,
): Extract<NodeType, { role: R }> {
  const type = types.get(name);
  if (type?.role !== role) throw new ProgramError(`${name} is ${type ? `a ${type.role}` : 'unknown'}, not a ${role}`);
  return type as Extract<NodeType, { role: R }>;
}
