/** Makes the sample program of a thread from its description. */
import type { NestedNode, NodeType, Transform } from '../node.ts';
import { datasetContext } from './dataset-context.ts';
import { fetcher } from './fetch.ts';
import { typeOfRole } from './node-types.ts';
import { createPixels, type Pixels } from './pixels/pixels.ts';
import { createProgram, type Program } from './program.ts';
import { grayPicture, PictureQueue } from './replacement.ts';
import type { Dataset, PackedPixels } from './sample.ts';
import { datasetFacts } from './sample-facts.ts';
import type { NodeUse, ProgramSpec, WorkerStart } from './tasks.ts';
import { sampleWriter } from './write.ts';

type Types = ReadonlyMap<string, NodeType>;

/** Opens the dataset and makes the transforms; `types` holds every type in use, by type or alias. */
export async function openProgram(
  { spec, memory, region }: Pick<WorkerStart, 'spec' | 'memory' | 'region'>,
  types: Types,
  signal: AbortSignal,
): Promise<Program> {
  const pixels = createPixels(memory, region);
  const context = datasetContext(types, spec.dataset, { seed: spec.seed, signal, notice: () => {} });
  const dataset = await typeOfRole(types, spec.dataset.type, 'dataset').open(context, spec.index);
  const collator = typeOfRole(types, spec.collator.type, 'collator').create(spec.collator.params);
  return createProgram({
    spec,
    pixels,
    fetch: fetcher(dataset, spec.cache),
    steps: spec.transforms.map((use) => ({
      use,
      transform: createTransform(use, types, pixels, spec.once?.[use.name]),
    })),
    write: sampleWriter(spec, memory, pixels, collator),
    gray: grayFor(spec, dataset, types),
    queue: dataset.replacement?.kind === 'queue' ? new PictureQueue(collator.batchSize) : undefined,
  });
}

/** A picture for each one that a sample begins with: as large as the dataset says, else as all are, else VISSL's default. */
function grayFor({ dataset: use }: ProgramSpec, { replacement }: Dataset, types: Types): PackedPixels[] {
  const side = (dim: readonly (number | string)[]) => (dim.length === 1 && typeof dim[0] === 'number' ? dim[0] : 224);
  return datasetFacts(types, use).views.map(([height, width]) =>
    replacement ? grayPicture(replacement.size, replacement.size) : grayPicture(side(width), side(height)),
  );
}

function createTransform(
  use: NodeUse,
  types: Types,
  pixels: Pixels,
  once: Readonly<Record<string, unknown>> = {},
): Transform {
  return typeOfRole(types, use.type, 'transform').create({
    name: use.name,
    params: use.params,
    pixels,
    once,
    nested: ({ transform, ...params }: NestedNode) =>
      createTransform({ name: `${use.name}.${transform}`, type: `transform/${transform}`, params }, types, pixels),
  });
}
