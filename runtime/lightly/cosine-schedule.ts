/** Cosine schedules by step (lightly.utils.scheduler; Loshchilov and Hutter 2016, arXiv:1608.03983). */

export interface CosineSchedule {
  readonly maxSteps: number;
  readonly startValue: number;
  readonly endValue: number;
  /** steps of one wave from start to end and back; default none: once from start to end */
  readonly period?: number;
}

/**
 * Value at `step`, 0 … maxSteps - 1: half a cosine from startValue to endValue. From maxSteps on the end value, where the
 * reference code warns and lets the cosine rise again. Throws a RangeError for negative steps.
 */
export function cosineSchedule(step: number, { maxSteps, startValue, endValue, period }: CosineSchedule): number {
  if (step < 0) throw new RangeError(`the step is ${step}; it cannot be negative`);
  if (maxSteps < 0) throw new RangeError(`the number of steps is ${maxSteps}; it cannot be negative`);
  const wave = (turn: number) => endValue - ((endValue - startValue) * (Math.cos(Math.PI * turn) + 1)) / 2;
  if (period !== undefined) return wave((2 * step) / period);
  return step >= maxSteps - 1 ? endValue : wave(step / (maxSteps - 1));
}

export interface CosineWarmupSchedule extends CosineSchedule {
  readonly warmupSteps: number;
  /** default 0; it is not reached: the first step is one step above */
  readonly warmupStartValue?: number;
  /** default startValue */
  readonly warmupEndValue?: number;
}

/** A straight line over the first warmupSteps, then the cosine over the others. Throws a RangeError. */
export function cosineWarmupSchedule(step: number, schedule: CosineWarmupSchedule): number {
  const { maxSteps, warmupSteps, warmupStartValue = 0, warmupEndValue = schedule.startValue } = schedule;
  if (step < 0) throw new RangeError(`the step is ${step}; it cannot be negative`);
  if (warmupSteps < 0) throw new RangeError(`the number of warm-up steps is ${warmupSteps}; it cannot be negative`);
  if (warmupSteps > maxSteps) throw new RangeError(`${warmupSteps} warm-up steps are more than all ${maxSteps} steps`);
  if (step >= warmupSteps) return cosineSchedule(step - warmupSteps, { ...schedule, maxSteps: maxSteps - warmupSteps });
  return warmupStartValue + ((warmupEndValue - warmupStartValue) * (step + 1)) / warmupSteps;
}
