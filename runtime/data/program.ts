/**
 * Makes samples: reads, decodes once, runs the transforms, and writes every view into its row of the batch. The same
 * code runs in worker threads and, without workers, in the rank. What is drawn depends on seed, epoch, image, view and
 * node alone.
 */
import { setImmediate } from 'node:timers/promises';
import type { Transform } from '../node.ts';
import { createRandom, type Random } from '../random.ts';
import { type Fetch, type Fetched, messageOf } from './fetch.ts';
import type { Pixels } from './pixels/pixels.ts';
import { ProgramError } from './program-error.ts';
import type { PictureQueue } from './replacement.ts';
import type { Label, PackedPixels, Sample, View } from './sample.ts';
import type { BadSample, NodeUse, ProgramSpec, Task, TaskReport } from './tasks.ts';
import type { WriteSample } from './write.ts';

export interface Program {
  /**
   * Makes the samples of a task; `progress` is told the row of each before it begins. Stops early, with what it has,
   * once `stopped` says so. Throws a ProgramError.
   */
  run(task: Task, stopped: () => boolean, progress: (row: number) => void): Promise<TaskReport>;
}

export interface Step {
  readonly use: NodeUse;
  readonly transform: Transform;
}

export interface ProgramParts {
  readonly spec: Pick<ProgramSpec, 'seed' | 'path' | 'dataset'>;
  readonly pixels: Pixels;
  readonly fetch: Fetch;
  readonly steps: readonly Step[];
  readonly write: WriteSample;
  /** what stands in for the pictures of a bad sample */
  readonly gray: readonly PackedPixels[];
  /** pictures that stand in before the gray one does */
  readonly queue?: PictureQueue;
}

/** Milliseconds after which others have their turn: what is read and decoded at once never waits. */
const TURN = 20;

const now = () => performance.timeOrigin + performance.now();

export function createProgram(parts: ProgramParts): Program {
  const { spec, pixels, fetch, steps, write, gray, queue } = parts;
  const randomOf = (task: Task, i: number) => createRandom(spec.seed, ...spec.path, task.epoch, task.indices[i]);

  const read = async (task: Task, i: number): Promise<Fetched> => {
    const index = task.indices[i];
    if (!task.lost.includes(index)) return fetch(index, randomOf(task, i).fork(spec.dataset.name));
    return { label: -1, name: `sample ${index}`, reason: 'reading it ended a worker thread three times' };
  };

  const transform = (
    task: Task,
    i: number,
    pictures: readonly PackedPixels[],
    label: Label,
    valid: boolean,
    name: string,
  ) => {
    const random = randomOf(task, i);
    pixels.arena.reset();
    const sample: Sample = {
      views: pictures.map((picture) => pixels.put(picture)),
      label,
      index: task.indices[i],
      valid,
    };
    for (const step of steps) applyStep(step, sample, random);
    write(task, task.firstRow + i, sample, name);
  };

  /** Fills the rows of one image; returns why it is bad, if it is. */
  const make = (task: Task, i: number, { pictures, label, name, reason }: Fetched): string | undefined => {
    let why = reason;
    if (pictures) {
      try {
        transform(task, i, pictures, label, true, name);
        for (const picture of pictures) queue?.keep(picture);
        return undefined;
      } catch (error) {
        if (error instanceof ProgramError) throw error;
        why = messageOf(error);
      }
    }
    const stored = gray.map(() => queue?.take());
    const valid = stored.every((picture) => picture !== undefined);
    try {
      transform(task, i, stored.map((picture, k) => picture ?? gray[k]), label, valid, name); // biome-ignore format: one line
    } catch (error) {
      if (error instanceof ProgramError) throw error;
      throw new ProgramError(`${messageOf(error)} (on the picture that stands in for a bad one: ${name}: ${why})`);
    }
    return why;
  };

  let turned = now();
  return {
    run: async (task, stopped, progress) => {
      const { id, indices, careful, firstRow } = task;
      const start = now();
      const bad: BadSample[] = [];
      let reading = 0;
      let next = careful || stopped() ? undefined : read(task, 0);
      for (let i = 0; i < indices.length && !stopped(); i++) {
        progress(firstRow + i);
        const before = now();
        const fetched = await (next ?? read(task, i));
        reading += now() - before;
        // the next picture is decoded by another thread while this one is transformed here
        next = careful || i + 1 === indices.length ? undefined : read(task, i + 1);
        const reason = make(task, i, fetched);
        if (reason !== undefined) bad.push({ index: indices[i], name: fetched.name, reason });
        if (now() - turned > TURN) {
          await setImmediate();
          turned = now();
        }
      }
      await next;
      const end = now();
      return { id, bad, start, end, read: reading, transform: end - start - reading };
    },
  };
}

/** Runs one transform on a sample; a param `indices` names the views it is for. */
function applyStep({ use: { name, type, params }, transform }: Step, sample: Sample, random: Random): void {
  try {
    if ('sample' in transform) {
      transform.sample(sample, random.fork(name));
      return;
    }
    const chosen = params.indices as readonly number[] | undefined;
    sample.views = sample.views.flatMap((view, position): View | View[] =>
      chosen && !chosen.includes(position) ? view : transform.view(view, random.fork(name, position), position),
    );
  } catch (error) {
    if (error instanceof ProgramError) throw error;
    throw new Error(`${name} (${type}): ${messageOf(error)}`, { cause: error });
  }
}
