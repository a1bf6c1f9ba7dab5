/**
 * The learning rate for this run's batch: `base_value` at a batch of `base_lr_batch_size`, scaled in proportion to the
 * global batch (Goyal et al. 2017, arXiv:1706.02677) or to its square root.
 */
import { type NestedNode, T } from '../../runtime/node.ts';

export const autoLrScaling = T.Object(
  {
    auto_scale: T.Boolean({ default: true, description: 'false: take the schedule as it is written' }),
    base_value: T.Number({ exclusiveMinimum: 0, description: 'learning rate at the base batch' }),
    base_lr_batch_size: T.Integer({ default: 256, minimum: 1, description: 'images in the base batch' }),
    scaling_type: T.Union([T.Literal('linear'), T.Literal('sqrt')], {
      default: 'linear',
      description: 'in proportion to the batch, or to its square root',
    }),
  },
  { description: 'scale the schedule to the global batch of the run' },
);

export interface AutoLrScaling {
  readonly auto_scale: boolean;
  readonly base_value: number;
  readonly base_lr_batch_size: number;
  readonly scaling_type: 'linear' | 'sqrt';
}

export interface GlobalBatch {
  /** images per batch over all ranks */
  readonly images: number;
  readonly machines: number;
}

type Schedule = number | NestedNode;

/**
 * The schedule with its values scaled. A linear part of a composite is a warm-up: it begins at the rate for the batch of
 * one machine, and goes away on a single machine when that is not below its end; what follows it takes its time.
 * Differences from the reference code: with three or more parts VISSL leaves the removed part's length in place, which
 * then fails; the part that replaces the composite carries none of the composite's keys but `update_interval`.
 * Throws for schedules without a rule (polynomial, custom ones).
 */
export function scaleSchedule(schedule: Schedule, scaling: AutoLrScaling | undefined, batch: GlobalBatch): Schedule {
  if (!scaling?.auto_scale) return schedule;
  const ratio = batch.images / scaling.base_lr_batch_size;
  const scaled = scaling.base_value * (scaling.scaling_type === 'sqrt' ? Math.sqrt(ratio) : ratio);
  const warmupStart = (scaling.base_value * ratio) / batch.machines;
  return scaleTo(schedule, scaled, warmupStart, batch.machines === 1);
}

function scaleTo(schedule: Schedule, scaled: number, warmupStart: number, removeWarmup: boolean): Schedule {
  if (typeof schedule === 'number') return scaled;
  const kind = schedule.schedule;
  switch (kind) {
    case 'cosine':
    case 'cosine_warm_restart':
      return { ...schedule, start: scaled, end: scaled * (number(schedule, 'end', 0) / number(schedule, 'start')) };
    case 'multistep':
    case 'step':
      return { ...schedule, values: scaledSteps(schedule.values as number[], scaled) };
    case 'step_with_fixed_gamma':
    case 'inverse_sqrt':
      return { ...schedule, start: scaled };
    case 'linear':
      return { ...schedule, end: scaled };
    case 'constant':
      return { ...schedule, value: scaled };
    case 'composite':
      return scaleComposite(schedule, scaled, warmupStart, removeWarmup);
    default:
      throw new RangeError(
        `auto_lr_scaling: there is no rule for the schedule "${String(kind)}". Take it out, or choose another schedule`,
      );
  }
}

/** scaled·γ^i, γ from the first two values; rounded as the reference code rounds. */
function scaledSteps(values: readonly number[], scaled: number): number[] {
  const gamma = values.length > 1 ? round(values[1] / values[0], 6) : 1;
  return values.map((_, i) => round(scaled * gamma ** i, 8));
}

function scaleComposite(schedule: NestedNode, scaled: number, warmupStart: number, removeWarmup: boolean): Schedule {
  const parts = (schedule.schedules as Schedule[]).map((part): Schedule => {
    const inner = scaleTo(part, scaled, warmupStart, removeWarmup);
    return isLinear(inner) ? { ...inner, start: warmupStart } : inner;
  });
  const keep = parts.map((part) => !(removeWarmup && isLinear(part) && number(part, 'start') <= number(part, 'end')));
  if (keep.every(Boolean)) return { ...schedule, schedules: parts };
  const kept = parts.filter((_, i) => keep[i]);
  if (kept.length === 0) return scaled;
  const interval = schedule.update_interval === undefined ? {} : { update_interval: schedule.update_interval };
  if (kept.length === 1) return typeof kept[0] === 'number' ? kept[0] : { ...interval, ...kept[0] };
  return {
    ...schedule,
    schedules: kept,
    lengths: keptLengths(schedule.lengths as number[], keep),
    ...(schedule.interval_scaling
      ? { interval_scaling: (schedule.interval_scaling as string[]).filter((_, i) => keep[i]) }
      : {}),
  };
}

/** The next part that stays takes the time of those that go before it; the last one that of those behind it. */
function keptLengths(lengths: readonly number[], keep: readonly boolean[]): number[] {
  const kept: number[] = [];
  let pending = 0;
  lengths.forEach((length, i) => {
    pending += length;
    if (!keep[i]) return;
    kept.push(pending);
    pending = 0;
  });
  kept[kept.length - 1] += pending;
  return kept;
}

const isLinear = (schedule: Schedule): schedule is NestedNode =>
  typeof schedule === 'object' && schedule.schedule === 'linear';

function number(schedule: NestedNode, key: string, missing?: number): number {
  const value = schedule[key] ?? missing;
  if (typeof value === 'number') return value;
  throw new RangeError(
    `auto_lr_scaling: ${String(schedule.schedule)}.${key} is ${JSON.stringify(value)}, not a number`,
  );
}

const round = (x: number, digits: number): number => Number(x.toFixed(digits));
