/** Times of steps and of waiting for batches. */
import type { Speed } from '../events.ts';

export interface Stopwatch {
  /** the time of the next batch begins */
  begin(now: number): void;
  /** a batch arrived */
  arrived(now: number): void;
  /** a step is done; @param stepsLeft training steps left, or undefined outside training */
  done(now: number, images: number, stepsLeft: number | undefined): Speed;
}

/** One per phase. The rest of a training run takes its steps times the mean step time, as VISSL reckons it. */
export function createStopwatch(): Stopwatch {
  let from = 0;
  let waited = 0;
  let total = 0;
  let images = 0;
  let steps = 0;
  return {
    begin(now) {
      from = now;
    },
    arrived(now) {
      waited += now - from;
    },
    done(now, batchImages, stepsLeft) {
      const step = now - from;
      from = now;
      total += step;
      images += batchImages;
      steps++;
      const mean = total / steps;
      return {
        step,
        mean,
        imagesPerSecond: total > 0 ? (images / total) * 1000 : 0,
        waiting: total > 0 ? waited / total : 0,
        eta: stepsLeft === undefined ? undefined : (mean * stepsLeft) / 1000,
      };
    },
  };
}
