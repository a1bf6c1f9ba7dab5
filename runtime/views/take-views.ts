import { datasetContext } from '../data/dataset-context.ts';
import { decodeImage } from '../data/decode.ts';
import { createLoader } from '../data/loader.ts';
import { type LocatedType, typeOfRole } from '../data/node-types.ts';
import { ProgramError } from '../data/program-error.ts';
import { sampleFacts } from '../data/sample-facts.ts';
import type { BatchTensor } from '../data/slabs.ts';
import type { NodeUse } from '../data/tasks.ts';
import type { GraphEvent } from '../events.ts';
import type { Picture } from '../figures/picture.ts';
import type { DatasetIndex } from '../node.ts';
import { createRandom } from '../random.ts';
import { eachView } from './each-view.ts';
import { pictureOf } from './picture-of.ts';

export interface ViewsOptions {
  readonly dataset: NodeUse;
  /** what the dataset's `scan` found */
  readonly index: DatasetIndex;
  readonly transforms: readonly NodeUse[];
  /** the pipeline's own: its name and whether it shuffles decide which images come first and what is drawn for them */
  readonly collator: NodeUse;
  readonly types: ReadonlyMap<string, LocatedType>;
  readonly seed: number;
  readonly epoch: number;
  readonly training: boolean;
  /** of the dataset, at most */
  readonly images: number;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: GraphEvent) => void;
}

export interface SampleViews {
  readonly name: string;
  readonly label: string;
  /** why it is bad, when it is: the views are then those of a gray picture */
  readonly bad?: string;
  readonly original?: Picture;
  readonly views: readonly Picture[];
}

export interface TakenViews {
  readonly samples: readonly SampleViews[];
  /** height and width of each view */
  readonly sizes: readonly (readonly [height: number, width: number])[];
  /** the views are floats that no conversion was left out for: each is drawn from its least to its greatest value */
  readonly stretched: boolean;
}

/** Steps that only turn bytes into numbers; figures show the bytes. */
const CONVERSIONS = ['transform/to_tensor', 'transform/normalize'];

/**
 * The views of the images that one process's first batch of an epoch begins with, exactly as a run draws them: what is
 * random depends on seed, epoch, image, view and node alone. Conversion to numbers is left out (as lightly's
 * apply_transform_without_normalize). Throws a ProgramError.
 */
export async function takeViews(options: ViewsOptions): Promise<TakenViews> {
  const { dataset, index, collator, images, epoch, signal } = options;
  const types = new Map([...options.types, [eachView.type, { declaration: eachView }]]);
  const shown = withoutConversions(options);
  const bad = new Map<number, string>();
  const loader = createLoader({
    name: collator.name,
    dataset,
    index,
    transforms: shown.transforms,
    collator: { name: collator.name, type: eachView.type, params: { batch_size: Math.min(images, index.length) } },
    types,
    training: (collator.params.shuffle as boolean | undefined) ?? options.training,
    seed: options.seed,
    path: [collator.name],
    workers: 0,
    prefetch: 1,
    onEvent: (event) => {
      if (event.type === 'bad_sample') bad.set(event.index, event.reason);
      options.onEvent?.(event);
    },
  });
  try {
    for await (const { arrays, rows } of loader.batches(epoch, 0, signal)) {
      const views = arrays.views as readonly BatchTensor[];
      const indices = (arrays.index as BatchTensor).data;
      const samples: SampleViews[] = [];
      for (let row = 0; row < rows; row++) {
        const pictures = views.map((view) => pictureOf(view, row));
        const facts = await original(options, indices[row]);
        samples.push({ ...facts, bad: bad.get(indices[row]), views: pictures });
      }
      const sizes = views.map(({ shape }) => [shape[1], shape[2]] as const);
      return { samples, sizes, stretched: shown.stretched };
    }
    throw new ProgramError(`${dataset.name} has no images`);
  } finally {
    await loader.dispose();
  }
}

/** The transforms without conversions, unless one after them cannot do without. */
function withoutConversions({ dataset, transforms, types }: ViewsOptions): {
  transforms: readonly NodeUse[];
  stretched: boolean;
} {
  const declarations = new Map([...types].map(([name, { declaration }]) => [name, declaration]));
  const typeName = ({ type }: NodeUse) => declarations.get(type)?.type ?? type;
  const kept = transforms.filter((use) => !CONVERSIONS.includes(typeName(use)));
  try {
    return { transforms: kept, stretched: sampleFacts(declarations, dataset, kept).dtype !== 'uint8' };
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return { transforms, stretched: true };
  }
}

async function original(options: ViewsOptions, index: number): Promise<Omit<SampleViews, 'views'>> {
  const { dataset: use, types, seed, collator, epoch, signal } = options;
  const declarations = new Map([...types].map(([name, { declaration }]) => [name, declaration]));
  const { name } = use;
  const context = datasetContext(declarations, use, { seed, signal, notice: () => {} });
  const opened = await typeOfRole(declarations, use.type, 'dataset').open(context, options.index);
  const unknown = { name: `sample ${index}`, label: '' };
  try {
    const raw = await opened.read(index, createRandom(seed, collator.name, epoch, index).fork(name));
    const label = typeof raw.label === 'number' ? (options.index.classes?.[raw.label] ?? labelText(raw.label)) : '';
    const facts = { name: raw.name ?? unknown.name, label };
    return await decodeImage(raw.source, { name: facts.name, pixelLimit: opened.pixelLimit }).then(
      (picture) => ({ ...facts, original: picture }),
      () => facts,
    );
  } catch {
    return unknown; // the loader has told why
  }
}

const labelText = (label: number): string => (label < 0 ? '' : String(label));
