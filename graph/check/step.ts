/** The schema layer for the training step that a document names. */
import type { CheckedHook } from '../checked.ts';
import type { ResolvedDocument } from '../document/resolve.ts';
import { readParams, type Types } from '../params/read.ts';
import type { Registry } from '../registry.ts';
import { declarationOf, reportParams } from './nodes.ts';
import type { Report } from './report.ts';

export function checkStep(
  document: ResolvedDocument,
  types: Types,
  registry: Registry,
  report: Report,
): CheckedHook | undefined {
  const { step } = document.run as { step?: { type?: unknown } };
  if (typeof step?.type !== 'string') return undefined;
  const { type, ...said } = step;
  const path = ['run', 'step'];
  const declaration = declarationOf(type as string, path, 'run.step', types, registry, report);
  if (!declaration) return undefined;
  if (declaration.role !== 'step') {
    report.add({
      layer: 'schema',
      path: [...path, 'type'],
      where: 'run.step',
      message: `${declaration.type} is a ${declaration.role}, not a step`,
      cure: 'A step is a node type of role "step", which a plugin brings',
    });
    return undefined;
  }
  const { params, problems } = readParams(declaration, type as string, said, types, registry);
  reportParams(problems, path, 'run.step', report);
  return { name: 'step', declaration, params };
}
