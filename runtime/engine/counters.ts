/** Where the run stands, and where it would go on. */
import type { Progress } from '../events.ts';
import type { Position } from '../train/manifest.ts';

export interface RunLength {
  readonly epochs: number;
  /** training phases in an epoch */
  readonly trainingPhases: number;
  readonly maxIterations: number;
}

/** The phase that runs, or ran last. */
interface PhaseFacts {
  readonly name: string;
  readonly training: boolean;
  readonly steps: number;
}

export class Counters {
  readonly #length: RunLength;
  #phase: PhaseFacts = { name: '', training: false, steps: 0 };
  /** batches done in the phase shown */
  #step = 0;
  /** training steps that are whole: what `where` is made of */
  #updates: number;
  position: Position;

  constructor(length: RunLength, position?: Position) {
    this.#length = length;
    this.position = position ?? {
      epoch: 0,
      phase: 0,
      step: 0,
      iteration: 0,
      trainingPhases: 0,
      phasesDone: 0,
      lossSum: 0,
    };
    this.#updates = this.position.iteration;
  }

  /** Share of training done, [0, 1). */
  get where(): number {
    const { maxIterations } = this.#length;
    return maxIterations === 0 ? 0 : Math.min(this.#updates / maxIterations, 1 - Number.EPSILON);
  }

  get iterationsLeft(): number {
    return this.#length.maxIterations - this.position.iteration;
  }

  progress(): Progress {
    const { epochs, trainingPhases, maxIterations } = this.#length;
    return {
      phase: this.#phase.name,
      training: this.#phase.training,
      epoch: this.position.trainingPhases - 1,
      epochs: epochs * Math.max(trainingPhases, 1),
      iteration: this.position.iteration,
      maxIterations,
      step: this.#step,
      steps: this.#phase.steps,
      where: this.where,
    };
  }

  /** A phase begins, or goes on after a resume. */
  enter(phase: PhaseFacts): void {
    this.#phase = phase;
    this.#step = this.position.step;
    if (this.position.step > 0) return;
    this.#move({ lossSum: 0, ...(phase.training ? { trainingPhases: this.position.trainingPhases + 1 } : {}) });
  }

  /** A batch went forward. Phases without training begin anew after a resume: their position stays at 0. */
  count(): void {
    this.#step++;
    if (!this.#phase.training) return;
    this.#move({ step: this.position.step + 1, iteration: this.position.iteration + 1 });
  }

  addLoss(loss: number): void {
    this.#move({ lossSum: this.position.lossSum + loss });
  }

  get meanLoss(): number {
    return this.position.lossSum / this.#step;
  }

  stepDone(): void {
    this.#updates = this.position.iteration;
  }

  phaseDone(): void {
    this.#move({ phase: this.position.phase + 1, step: 0, phasesDone: this.position.phasesDone + 1 });
  }

  epochDone(): void {
    this.#move({ epoch: this.position.epoch + 1, phase: 0, step: 0 });
  }

  #move(change: Partial<Position>): void {
    this.position = { ...this.position, ...change };
  }
}
