/** What "run" says: its schema, and the phases of an epoch. */
import type { RunSettings } from '../checked.ts';
import type { ResolvedDocument } from '../document/resolve.ts';
import { withDefaults } from '../params/defaults.ts';
import type { JsonSchema } from '../params/json-schema.ts';
import { validateValue } from '../params/validator.ts';
import { didYouMean } from '../problem.ts';
import { reportParams } from './nodes.ts';
import type { Report } from './report.ts';

export const RUN_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'Settings of the run.',
  additionalProperties: false,
  properties: {
    epochs: { type: 'integer', minimum: 0, default: 1, description: 'times the training phases run' },
    phases: {
      type: 'array',
      items: { type: 'string' },
      description:
        'phases of one epoch, in order; default: those with an optimizer, then those that end in meters or losses',
    },
    evaluate: {
      type: 'array',
      items: { anyOf: [{ const: 'start' }, { const: 'end' }, { type: 'integer', minimum: 1 }] },
      default: ['end'],
      description: 'when evaluators of the trained model run; a number n: after every n epochs',
    },
    test_every: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description: 'phases without an optimizer run after every n epochs, and after the last',
    },
    seed: { type: 'integer', minimum: 0, default: 0, description: 'all randomness follows from it' },
    precision: {
      enum: ['float32', 'bfloat16', 'float16'],
      default: 'float32',
      description:
        'of matrix products and convolutions, in models and in training; torch and tensorflow have others than float32',
    },
    device: {
      type: 'string',
      default: 'auto',
      description: 'backend, as `pipe backends` lists them; auto: the fastest that works here',
    },
    workers: { type: 'integer', minimum: -1, default: -1, description: 'worker threads; -1: as many as cores allow' },
    sync_batch_norm: {
      anyOf: [
        { type: 'boolean' },
        {
          type: 'object',
          additionalProperties: false,
          required: ['group_size'],
          properties: { group_size: { type: 'integer', minimum: 1, description: 'ranks that share statistics' } },
        },
      ],
      default: false,
      description:
        'batch norm in training takes the batches of all ranks, or of each group of ranks, for one; nothing changes with one rank',
    },
    step: {
      type: 'object',
      required: ['type'],
      properties: { type: { type: 'string', description: 'a node type of role step, of a plugin' } },
      description:
        'what happens with a batch: {"type": "step/…", …its params}; default: forward, loss, backward, update',
    },
  },
};

export type SaidSettings = Omit<RunSettings, 'phases'> & { readonly phases?: readonly string[] };

/** The settings with their defaults; undefined when they are wrong. */
export function readRun(document: ResolvedDocument, report: Report): SaidSettings | undefined {
  const filled = withDefaults(RUN_SCHEMA, document.run);
  const problems = validateValue(RUN_SCHEMA, filled, 'run');
  reportParams(problems, ['run'], 'run', report);
  return problems.length === 0 ? (filled as SaidSettings) : undefined;
}

/** Phases that the document lists but that do not exist. @param phases those of the graph */
export function checkPhases(said: readonly string[] | undefined, phases: ReadonlySet<string>, report: Report): void {
  for (const [i, name] of (said ?? []).entries()) {
    if (phases.has(name)) continue;
    report.add({
      layer: 'wiring',
      path: ['run', 'phases', i],
      where: `run.phases.${i}`,
      message: `no batch source belongs to a phase "${name}"`,
      cure: didYouMean(name, phases) || 'Phases come from collators: "phase": "…", or train',
    });
  }
}
