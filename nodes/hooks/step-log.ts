import type { HookEvent } from '../../runtime/events.ts';

/** Iteration 1, every `frequency`, and every 5 of the first 100. */
export const isLogMoment = (iteration: number, frequency: number): boolean =>
  iteration === 1 || iteration % frequency === 0 || (iteration <= 100 && iteration % 5 === 0);

/** Times of the last steps. */
export class StepTimes {
  readonly #window: number;
  /** absent where a run goes on in the middle of a phase: how long its first step took is not known */
  #last: number | undefined;
  #steps: { readonly ms: number; readonly images: number }[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  /** The time until the next step is not one of a step before it. */
  restart(time: number): void {
    this.#last = time;
  }

  add(time: number, images: number): void {
    if (this.#last !== undefined) this.#steps.push({ ms: time - this.#last, images });
    if (this.#steps.length > this.#window) this.#steps.shift();
    this.#last = time;
  }

  /** NaN before the first step */
  get meanMs(): number {
    return this.#steps.reduce((sum, { ms }) => sum + ms, 0) / this.#steps.length;
  }

  get imagesPerSecond(): number {
    const ms = this.#steps.reduce((sum, step) => sum + step.ms, 0);
    return (1000 * this.#steps.reduce((sum, { images }) => sum + images, 0)) / ms;
  }
}

/** One line; peak memory is that of the process. */
export function describeStep({ progress, loss, lr, weightDecay, lossScale }: HookEvent, times: StepTimes): string {
  const left = (times.meanMs * (progress.maxIterations - progress.iteration)) / 1000;
  const parts = [
    `epoch ${progress.epoch + 1}/${progress.epochs}`,
    `iteration ${progress.iteration}/${progress.maxIterations}`,
    ...(loss === undefined ? [] : [`loss ${loss.toFixed(5)}`]),
    ...(lr?.length ? [`lr ${lr.map((rate) => rate.toFixed(5)).join(', ')}`] : []),
    ...(weightDecay ? [`weight decay ${weightDecay.map((decay) => decay.toFixed(5)).join(', ')}`] : []),
    ...(lossScale === undefined ? [] : [`loss scale ${lossScale}`]),
    ...(Number.isNaN(left)
      ? []
      : [
          `${times.meanMs.toFixed(0)} ms/step`,
          `${times.imagesPerSecond.toFixed(1)} images/s`,
          `eta ${duration(left)}`,
        ]),
    `peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
  ];
  return parts.join(', ');
}

/** 1d 02:03:04 */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const days = Math.floor(whole / 86400);
  const clock = [Math.floor((whole % 86400) / 3600), Math.floor((whole % 3600) / 60), whole % 60].map(two).join(':');
  return days > 0 ? `${days}d ${clock}` : clock;
}
