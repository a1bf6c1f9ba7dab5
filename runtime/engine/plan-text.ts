/** A plan in words, for `pipe show --plan`. */
import { refOf } from './edges.ts';
import { COPY } from './lanes.ts';
import type { OnceStep } from './once-plan.ts';
import type { Plan, SampleProgram } from './plan.ts';
import type { PlannedNode } from './planned-steps.ts';
import type { BatchProgram } from './program.ts';

export function describePlan(plan: Plan): string {
  const { run } = plan.graph;
  const lines: string[] = [];
  const section = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push(...(lines.length > 0 ? [''] : []), title, ...body.map((line) => `  ${line}`));
  };
  section('samples', [...plan.sources.values()].map(describeSource));
  section('before training', plan.once.before.flatMap(describeOnce));
  if (plan.once.artifacts.length > 0) lines.push(`  kept on disk: ${plan.once.artifacts.join(', ')}`);
  for (const program of plan.phases) {
    section(`${program.training ? 'training phase' : 'phase'} ${program.phase}, per batch`, describeProgram(program));
  }
  const moments = run.evaluate.map((moment) => (typeof moment === 'number' ? `every ${moment} epochs` : moment));
  section(`evaluation (${moments.join(', ') || 'never'})`, plan.once.evaluate.flatMap(describeOnce));
  const phases = plan.phases.map(({ phase }) => phase).join(', ');
  if (phases) section('order', [`${run.epochs} × (${phases})`]);
  if (plan.trained.size > 0) section('trained', [[...plan.trained].join(', ')]);
  return `${lines.join('\n')}\n`;
}

const describeSource = ({ dataset, transforms, collator }: SampleProgram): string =>
  [dataset, ...transforms, collator].map(({ name }) => name).join(' → ');

function describeOnce(step: OnceStep): string[] {
  if (step.kind === 'node') return [step.node.name];
  return [
    `pass over ${step.phase} for ${step.banks.map(({ name }) => name).join(', ')}`,
    ...describeProgram(step.program).map((line) => `  ${line}`),
  ];
}

function describeProgram(program: BatchProgram): string[] {
  const lines = [`copy ${program.copies.join(', ')} [${COPY}]`];
  for (const step of program.steps) {
    if (step.kind === 'node') lines.push(describeNode(step));
    else lines.push(`event ${step.event}${waits(step.waits)}${frees(step.frees)}`);
  }
  for (const { node, losses, models } of program.optimizers) {
    lines.push(`backward from ${losses.map(refOf).join(' + ')}`, `${node.name}: update of ${models.join(', ')}`);
  }
  return lines;
}

const describeNode = ({ node, stage, stream, gradient, waits: on, frees: freed }: PlannedNode): string =>
  `${node.name} (${stage}${gradient ? ', gradient' : ''}) [${stream}]${waits(on)}${frees(freed)}`;

const waits = (names: readonly string[]): string => (names.length > 0 ? `, waits for ${names.join(', ')}` : '');
const frees = (refs: readonly string[]): string => (refs.length > 0 ? `, frees ${refs.join(', ')}` : '');
