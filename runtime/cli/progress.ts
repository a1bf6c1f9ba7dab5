/**
 * What a person sees while a run works: one live line with bar, loss, speed and ETA on a terminal, plain lines
 * elsewhere. An observer like any other: it reads GraphEvents and changes nothing.
 */
import type { GraphEvent, HookEvent } from '../events.ts';

export interface ProgressOutput {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

export const formatDuration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return '?';
  const s = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60];
  if (hours > 0) return `${hours}h ${String(minutes).padStart(2, '0')}m`;
  if (minutes > 0) return `${minutes}m ${String(rest).padStart(2, '0')}s`;
  return `${rest}s`;
};

const formatMetric = (value: number): string =>
  Number.isInteger(value) ? String(value) : Math.abs(value) >= 0.01 ? value.toFixed(4) : value.toExponential(3);

export const formatMetrics = (metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(value)}`)
    .join('  ');

const rounded = (values: readonly number[]): string => values.map((value) => Number(value.toPrecision(4))).join(',');

const bar = (share: number, width: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
};

/** Mean time and images per step of the last steps, so that a slow first step does not spoil the ETA. */
class Speed {
  private readonly times: { at: number; images: number }[] = [];

  add(at: number, images: number): void {
    this.times.push({ at, images });
    if (this.times.length > 50) this.times.shift();
  }

  reset(at: number): void {
    this.times.length = 0;
    this.times.push({ at, images: 0 });
  }

  secondsPerStep(): number {
    const [first, last] = [this.times[0], this.times.at(-1)];
    return first && last && this.times.length > 1 ? (last.at - first.at) / 1000 / (this.times.length - 1) : Number.NaN;
  }

  imagesPerSecond(): number {
    const [first, last] = [this.times[0], this.times.at(-1)];
    if (!first || !last || last.at === first.at) return Number.NaN;
    return this.times.slice(1).reduce((sum, time) => sum + time.images, 0) / ((last.at - first.at) / 1000);
  }
}

/** Make the observer. Times in events are in ms. */
export function createProgress(output: ProgressOutput): { observe(event: GraphEvent): void; done(): void } {
  const speed = new Speed();
  let live = false;
  let lastDraw = 0;
  let lastLine = 0;

  const clear = (): void => {
    if (live) output.write('\r\u001b[2K');
    live = false;
  };
  const line = (text: string): void => {
    clear();
    output.write(`${text}\n`);
  };

  const describe = (event: HookEvent, width: number): string => {
    const { progress } = event;
    const share = progress.steps > 0 ? progress.step / progress.steps : 0;
    const remaining = progress.training ? progress.maxIterations - progress.iteration : progress.steps - progress.step;
    const parts = [
      progress.training ? `${progress.phase} ${progress.epoch + 1}/${progress.epochs}` : progress.phase,
      width > 0 ? bar(share, width) : `step ${progress.step}/${progress.steps}`,
      `${Math.floor(share * 100)}%`,
    ];
    if (event.loss !== undefined) parts.push(`loss ${event.loss.toFixed(4)}`);
    if (event.lr?.length) parts.push(`lr ${rounded(event.lr)}`);
    if (event.weightDecay) parts.push(`wd ${rounded(event.weightDecay)}`);
    const rate = speed.imagesPerSecond();
    if (Number.isFinite(rate)) parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} img/s`);
    const eta = speed.secondsPerStep() * remaining;
    if (Number.isFinite(eta)) parts.push(`eta ${formatDuration(eta)}`);
    return parts.join('  ');
  };

  const step = (event: HookEvent): void => {
    speed.add(event.time, event.images ?? 0);
    if (output.isTTY) {
      if (event.time - lastDraw < 100 && event.progress.step < event.progress.steps) return;
      lastDraw = event.time;
      output.write(`\r\u001b[2K${describe(event, 20).slice(0, output.columns - 1)}`);
      live = true;
    } else if (Date.now() - lastLine >= 10_000) {
      lastLine = Date.now();
      line(describe(event, 0));
    }
  };

  const observe = (event: GraphEvent): void => {
    switch (event.type) {
      case 'phase_start':
        speed.reset(event.time);
        lastLine = Date.now();
        break;
      case 'step':
        step(event);
        break;
      case 'phase_end': {
        const metrics =
          event.metrics && Object.keys(event.metrics).length > 0 ? `  ${formatMetrics(event.metrics)}` : '';
        line(`${describe(event, 0)}${metrics}`);
        break;
      }
      case 'metrics':
        line(`${event.node}: ${formatMetrics(event.metrics)}`);
        break;
      case 'notice':
        // the log hook says where the run stands: no second line about the same
        lastLine = Date.now();
        line(
          `${event.level === 'warning' ? 'warning: ' : ''}${event.from}: ${event.message}${event.cure ? `; ${event.cure}` : ''}`,
        );
        break;
      case 'checkpoint':
        if (!output.isTTY) line(`checkpoint ${event.path}`);
        break;
      default:
    }
  };

  return { observe, done: clear };
}
