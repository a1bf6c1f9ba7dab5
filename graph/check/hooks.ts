/** The schema layer for hooks: those the document lists, and those its nodes bring. */
import type { CheckedHook } from '../checked.ts';
import type { ResolvedDocument } from '../document/resolve.ts';
import { readParams, type Types } from '../params/read.ts';
import type { Registry } from '../registry.ts';
import type { Drafts } from './draft.ts';
import { declarationOf, reportParams } from './nodes.ts';
import type { Report } from './report.ts';

export function checkHooks(
  document: ResolvedDocument,
  types: Types,
  registry: Registry,
  report: Report,
): CheckedHook[] {
  return document.hooks.flatMap(({ type, ...said }, index): CheckedHook[] => {
    const path = ['hooks', index];
    const where = `hooks.${index}`;
    const declaration = declarationOf(String(type), path, where, types, registry, report);
    if (!declaration) return [];
    if (declaration.role !== 'hook') {
      report.add({
        layer: 'schema',
        path: [...path, 'type'],
        where,
        message: `${declaration.type} is a node of the graph, not a hook`,
        cure: 'Move it to "nodes"',
      });
      return [];
    }
    const { params, problems } = readParams(declaration, String(type), said, types, registry);
    reportParams(problems, path, where, report);
    return [{ name: nameOf(declaration.type), declaration, params }];
  });
}

/** Hooks that valid nodes bring, in the order of the nodes. A node that brings what does not exist is a defect: it throws. */
export async function broughtHooks(drafts: Drafts, registry: Registry): Promise<CheckedHook[]> {
  const brought = [...drafts.values()].flatMap(({ name, declaration, params, valid, inputs }) => {
    if (!declaration?.brings || !valid) return [];
    const wires = inputs.map(({ port, sources }) => [
      port,
      Object.values(sources).flatMap((refs) => refs.map((ref) => `${ref.node}.${ref.port}`)),
    ]);
    const hooks = declaration.brings({ name, params, inputs: Object.fromEntries(wires) });
    return hooks.map((hook) => ({ hook, name, by: declaration.type }));
  });
  const types = await registry.load(brought.map(({ hook }) => hook.type));
  return brought.map(({ hook: { type, ...said }, name, by }): CheckedHook => {
    const declaration = types.get(type);
    if (declaration?.role !== 'hook') throw new Error(`${by} brings "${type}", which is not a hook`);
    const { params, problems } = readParams(declaration, String(type), said, types, registry);
    if (problems[0]) throw new Error(`${by} brings ${type} with wrong params: ${problems[0].message}`);
    return { name: nameOf(type), declaration, params, from: name };
  });
}

/** "hook/checkpoint" → "checkpoint" */
function nameOf(type: string): string {
  return type.slice(type.indexOf('/') + 1);
}
