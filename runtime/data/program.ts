/**
 * Makes samples: reads, decodes once, runs the transforms, and writes every view into its row of the batch. The same
 * code runs in worker threads and, without workers, in the rank. What is drawn depends on seed, epoch, image, view and
 * node alone.
 */

import type { NestedNode, NodeType, Transform } from '../node.ts';
import { createRandom, type Random } from '../random.ts';
import { type Collator, factRows } from './collation.ts';
import { typeOfRole } from './node-types.ts';
import { cachedPixels, keepPixels } from './pixel-cache.ts';
import { createPixels, type Pixels } from './pixels/pixels.ts';
import { ProgramError } from './program-error.ts';
import { grayPicture, PictureQueue } from './replacement.ts';
import type { Dataset, Label, PackedPixels, Sample, View } from './sample.ts';
import { rowsOf, type SlabLayout } from './slabs.ts';
import type { BadSample, NodeUse, ProgramSpec, Task, TaskReport, WorkerStart } from './tasks.ts';
import { writeLabel, writeView } from './write.ts';

/** Called before each image with its row in the batch. */
type Progress = (row: number) => void;

interface Step {
  readonly use: NodeUse;
  readonly transform: Transform;
}

interface Fetched {
  readonly picture?: PackedPixels;
  readonly label: Label;
  readonly name: string;
  readonly reason?: string;
}

export interface Program {
  /** Stops early, with what it has, once `stopped` says so. Throws a ProgramError. */
  run(task: Task, stopped: () => boolean, progress: Progress): Promise<TaskReport>;
}

const now = () => performance.timeOrigin + performance.now();
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Opens the dataset and makes the transforms; `types` holds every type in use, by type or alias. */
export async function openProgram(
  start: Pick<WorkerStart, 'spec' | 'memory' | 'region'>,
  types: ReadonlyMap<string, NodeType>,
  signal: AbortSignal,
): Promise<Program> {
  const { spec, memory, region } = start;
  const pixels = createPixels(memory, region);
  const dataset = await openDataset(spec, types, signal);
  const steps = spec.transforms.map((use): Step => ({ use, transform: createTransform(use, types, pixels) }));
  const collator = typeOfRole(types, spec.collator.type, 'collator').create(spec.collator.params);
  return new SampleProgram(spec, memory, pixels, dataset, steps, collator, grayFor(spec, dataset, types));
}

class SampleProgram implements Program {
  readonly #spec: ProgramSpec;
  readonly #memory: WebAssembly.Memory;
  readonly #pixels: Pixels;
  readonly #dataset: Dataset;
  readonly #steps: readonly Step[];
  readonly #collator: Collator;
  readonly #gray: PackedPixels;
  readonly #queue: PictureQueue | undefined;
  #decoder: Promise<typeof import('./decode.ts')> | undefined;
  readonly #labels: SlabLayout | undefined;
  readonly #indices: SlabLayout | undefined;
  readonly #valid: SlabLayout | undefined;

  constructor(
    spec: ProgramSpec,
    memory: WebAssembly.Memory,
    pixels: Pixels,
    dataset: Dataset,
    steps: readonly Step[],
    collator: Collator,
    gray: PackedPixels,
  ) {
    this.#spec = spec;
    this.#memory = memory;
    this.#pixels = pixels;
    this.#dataset = dataset;
    this.#steps = steps;
    this.#collator = collator;
    this.#gray = gray;
    this.#queue = dataset.replacement?.kind === 'queue' ? new PictureQueue(collator.batchSize) : undefined;
    const slab = (port: string) => spec.layout.slabs.find((layout) => layout.port === port);
    this.#labels = slab('label');
    this.#indices = slab('index');
    this.#valid = slab('valid');
  }

  async run(task: Task, stopped: () => boolean, progress: Progress): Promise<TaskReport> {
    const start = now();
    const bad: BadSample[] = [];
    let read = 0;
    const { indices, careful, firstRow } = task;
    let next = careful || stopped() ? undefined : this.#fetch(task, 0);
    for (let i = 0; i < indices.length && !stopped(); i++) {
      progress(firstRow + i);
      const before = now();
      const fetched = await (next ?? this.#fetch(task, i));
      read += now() - before;
      // the next picture is decoded by another thread while this one is transformed here
      next = careful || i + 1 === indices.length ? undefined : this.#fetch(task, i + 1);
      const reason = this.#make(task, i, fetched);
      if (reason !== undefined) bad.push({ index: indices[i], name: fetched.name, reason });
    }
    await next;
    const end = now();
    return { id: task.id, bad, start, end, read, transform: end - start - read };
  }

  /** Never throws: what goes wrong with one picture becomes its reason. */
  async #fetch(task: Task, i: number): Promise<Fetched> {
    const index = task.indices[i];
    let label: Label = -1;
    let name = `sample ${index}`;
    try {
      if (task.lost.includes(index)) throw new Error('reading it ended a worker thread three times');
      const raw = await this.#dataset.read(index, this.#random(task.epoch, index).fork(this.#spec.dataset.name));
      label = raw.label;
      name = raw.name ?? name;
      if ('pixels' in raw.source) return { picture: raw.source, label, name };
      const { cache } = this.#spec;
      const kept = cache && cachedPixels(cache, index);
      if (kept) return { picture: kept, label, name };
      this.#decoder ??= import('./decode.ts'); // a native library, which many datasets do without
      const { decodeImage } = await this.#decoder;
      const picture = await decodeImage(raw.source, { name, pixelLimit: this.#dataset.pixelLimit });
      if (cache) keepPixels(cache, index, picture);
      return { picture, label, name };
    } catch (error) {
      return { label, name, reason: messageOf(error) };
    }
  }

  /** Fills the rows of one image; returns why it is bad, if it is. */
  #make(task: Task, i: number, { picture, label, name, reason }: Fetched): string | undefined {
    if (picture) {
      try {
        this.#transform(task, i, picture, label, true, name);
        this.#queue?.keep(picture);
        return undefined;
      } catch (error) {
        if (error instanceof ProgramError) throw error;
        reason = messageOf(error);
      }
    }
    const stored = this.#queue?.take();
    try {
      this.#transform(task, i, stored ?? this.#gray, label, stored !== undefined, name);
    } catch (error) {
      if (error instanceof ProgramError) throw error;
      throw new ProgramError(`${messageOf(error)} (on the picture that stands in for a bad one: ${name}: ${reason})`);
    }
    return reason;
  }

  #transform(task: Task, i: number, picture: PackedPixels, label: Label, valid: boolean, name: string): void {
    const index = task.indices[i];
    const random = this.#random(task.epoch, index);
    this.#pixels.arena.reset();
    const sample: Sample = { views: [this.#pixels.put(picture)], label, index, valid };
    for (const { use, transform } of this.#steps) {
      try {
        applyTransform(transform, use, sample, random);
      } catch (error) {
        if (error instanceof ProgramError) throw error;
        throw new Error(`${use.name} (${use.type}): ${messageOf(error)}`, { cause: error });
      }
    }
    this.#write(task, task.firstRow + i, sample, name);
  }

  #write(task: Task, row: number, sample: Sample, name: string): void {
    const { facts, layout } = this.#spec;
    const { views } = sample;
    if (views.length !== facts.views.length) {
      throw new ProgramError(`${name} has ${views.length} views after the transforms; ${facts.views.length} expected`);
    }
    views.forEach((view, position) => {
      const { slab, row: target } = this.#collator.place(facts, position, row, task.rows);
      writeView(this.#pixels, view, layout, slab, task.base, target, () => `${name}, view ${position}`);
    });
    for (const at of factRows(this.#collator.repeat, views.length, row, task.rows)) {
      this.#writeNumbers(task, at, sample, name);
    }
  }

  #writeNumbers(task: Task, row: number, sample: Sample, name: string): void {
    const cells = (slab: SlabLayout) => {
      const length = slab.rowBytes / 4;
      if (row >= rowsOf(slab, this.#spec.layout, task.rows) * this.#spec.layout.fill) {
        throw new ProgramError(`row ${row} of ${slab.port} lies outside the batch`);
      }
      return new Int32Array(this.#memory.buffer, task.base + slab.offset + row * slab.rowBytes, length);
    };
    if (this.#indices) cells(this.#indices)[0] = sample.index;
    if (this.#valid) cells(this.#valid)[0] = sample.valid ? 1 : 0;
    if (!this.#labels) return;
    const labels = cells(this.#labels);
    try {
      (this.#collator.label ?? writeLabel)(sample.label, labels);
    } catch (error) {
      throw new ProgramError(`${name}: ${messageOf(error)}`);
    }
  }

  #random(epoch: number, index: number): Random {
    return createRandom(this.#spec.seed, ...this.#spec.path, epoch, index);
  }
}

/** Runs one transform on a sample; a param `indices` names the views it is for. */
function applyTransform(transform: Transform, use: NodeUse, sample: Sample, random: Random): void {
  if ('sample' in transform) {
    transform.sample(sample, random.fork(use.name));
    return;
  }
  const chosen = use.params.indices as readonly number[] | undefined;
  sample.views = sample.views.flatMap((view, position): View | View[] =>
    chosen && !chosen.includes(position) ? view : transform.view(view, random.fork(use.name, position), position),
  );
}

/** As large as the dataset says, else as all its pictures are, else VISSL's default. */
function grayFor(
  { dataset: use }: ProgramSpec,
  { replacement }: Dataset,
  types: ReadonlyMap<string, NodeType>,
): PackedPixels {
  if (replacement) return grayPicture(replacement.size, replacement.size);
  const [[[height], [width]]] = typeOfRole(types, use.type, 'dataset').facts(use.params).views;
  const known = typeof height === 'number' && typeof width === 'number';
  return known ? grayPicture(width, height) : grayPicture(224, 224);
}

function openDataset({ dataset, index, seed }: ProgramSpec, types: ReadonlyMap<string, NodeType>, signal: AbortSignal) {
  const { name, params } = dataset;
  return typeOfRole(types, dataset.type, 'dataset').open({ name, params, seed, signal, notice: () => {} }, index);
}

function createTransform(use: NodeUse, types: ReadonlyMap<string, NodeType>, pixels: Pixels): Transform {
  return typeOfRole(types, use.type, 'transform').create({
    name: use.name,
    params: use.params,
    pixels,
    nested: (node: NestedNode) => {
      const { transform, ...params } = node;
      const type = `transform/${transform}`;
      return createTransform({ name: `${use.name}.${transform}`, type, params }, types, pixels);
    },
  });
}
