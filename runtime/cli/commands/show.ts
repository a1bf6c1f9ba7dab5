/** `pipe show`: the resolved document, where each value comes from, or the plan of the run. */
import { canonical } from '../../../graph/document/canonical.ts';
import { formatOrigin, type Json } from '../../../graph/document/located.ts';
import type { ResolvedDocument } from '../../../graph/document/resolve.ts';
import { checkPipeline, type DocumentOptions, openPipeline } from '../../pipeline/open.ts';
import { refusal } from '../request.ts';

interface ShowOptions extends DocumentOptions {
  readonly json?: boolean;
  readonly plan?: boolean;
  readonly origins?: boolean;
  readonly derived?: boolean;
  readonly ranks?: string;
}

export async function show(pipeline: string, overrides: readonly string[], options: ShowOptions): Promise<void> {
  const opened = await openPipeline(pipeline, overrides, options);
  const { resolved } = opened;
  if (options.plan) {
    const graph = await checkPipeline(opened, { machine: false });
    const { createPlan } = await import('../../engine/plan.ts');
    const { describePlan } = await import('../../engine/plan-text.ts');
    process.stdout.write(describePlan(createPlan(graph)));
  } else if (options.derived) {
    const ranks = readRanks(options.ranks);
    const { derivedFacts } = await import('../../../graph/derived.ts');
    const facts = derivedFacts(await checkPipeline(opened, { machine: false }), ranks);
    if (options.json) process.stdout.write(`${JSON.stringify(Object.fromEntries(facts), null, 2)}\n`);
    else for (const [node, values] of facts) process.stdout.write(`${node}: ${factsText(values)}\n`);
  } else if (options.origins) {
    const values = origins(resolved);
    if (options.json) process.stdout.write(`${JSON.stringify(values, null, 2)}\n`);
    else for (const { path, value, origin } of values) process.stdout.write(`${path} = ${value}  (${origin})\n`);
  } else process.stdout.write(canonical(resolved.value));
}

function readRanks(text = '1'): number {
  const ranks = Number(text);
  if (Number.isInteger(ranks) && ranks > 0) return ranks;
  throw refusal(`--ranks is ${text}: give the number of processes that train together`);
}

const factsText = (facts: Readonly<Record<string, number>>): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

interface ShownValue {
  readonly path: string;
  readonly value: string;
  readonly origin: string;
}

function origins(resolved: ResolvedDocument): readonly ShownValue[] {
  const shown: ShownValue[] = [];
  const visit = (value: Json, path: readonly string[]): void => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
      return;
    }
    const origin = resolved.origin(path);
    const place = origin ? formatOrigin(origin, process.cwd()) : 'default';
    shown.push({ path: path.join('.'), value: JSON.stringify(value), origin: place });
  };
  visit(resolved.value, []);
  return shown;
}
