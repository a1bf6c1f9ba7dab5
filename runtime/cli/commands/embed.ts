/** `pipe embed`: features that a run has written, as lightly's CSV with the names of the images. */
import { statSync } from 'node:fs';
import { withDefaults } from '../../../graph/params/defaults.ts';
import { datasetContext } from '../../data/dataset-context.ts';
import { saveEmbeddings } from '../../lightly/save-embeddings.ts';
import type { NodeType } from '../../node.ts';
import { openRegistry } from '../../pipeline/registry.ts';
import { createRandom } from '../../random.ts';
import { plural } from '../output.ts';
import { interruptible, mustExist, refusal } from '../request.ts';

interface EmbedOptions {
  readonly images: string;
  readonly output: string;
  readonly split: string;
  readonly layer: string;
}

interface Bank {
  readonly rows: number;
  readonly width: number;
  readonly features: Float32Array;
  readonly labels?: Int32Array;
  readonly labelWidth?: number;
  readonly indices: Int32Array;
}

/** @param folder of the .npy files of features/write */
export async function embed(folder: string, options: EmbedOptions): Promise<void> {
  mustExist(folder, 'folder');
  const { images, output, split, layer } = options;
  const isList = statSync(images, { throwIfNoEntry: false })?.isFile() === true;
  if (!isList) mustExist(images, 'folder');
  const reader = 'features/read';
  const dataset = isList ? 'dataset/disk_filelist' : 'dataset/auto';
  const registry = await openRegistry();
  const types = (await registry.load([reader, dataset])) as ReadonlyMap<string, NodeType>;
  const bank = await readBank(types.get(reader)!, { folder, split, layer });
  if (bank.labelWidth !== undefined) throw refusal(`${folder} has several numbers per label`, 'The CSV takes one');
  const names = await interruptible((signal) => namesOf(types, dataset, images, bank.indices, signal));
  await saveEmbeddings(
    output,
    { rows: bank.rows, columns: bank.width, data: bank.features },
    bank.labels ?? new Int32Array(bank.rows),
    names,
  );
  process.stderr.write(`${output}: ${plural(bank.rows, 'embedding')} of ${plural(bank.width, 'dimension')}\n`);
}

async function readBank(type: NodeType, params: Record<string, string>): Promise<Bank> {
  if (type.role !== 'artifact') throw new TypeError(`${type.type} is not an artifact`);
  const problems = (await type.check?.({ params, name: 'features' })) ?? [];
  if (problems.length > 0) throw refusal(problems[0]!.message, problems[0]!.cure);
  const { bank } = await type.create({ params } as never)({});
  return bank as Bank;
}

/** Names of the samples at these positions of the dataset. */
async function namesOf(
  types: ReadonlyMap<string, NodeType>,
  type: string,
  path: string,
  indices: Int32Array,
  signal: AbortSignal,
): Promise<string[]> {
  const declared = types.get(type)!;
  if (declared.role !== 'dataset') throw new TypeError(`${type} is not a dataset`);
  const params = withDefaults(declared.params, { path }) as Record<string, unknown>;
  const context = datasetContext(types, { name: 'images', params }, { seed: 0, signal, notice: () => {} });
  const index = await declared.scan(context);
  const beyond = indices.find((position) => position >= index.length);
  if (beyond !== undefined) {
    throw refusal(
      `the features are of ${beyond + 1} images or more, and ${path} has ${index.length}`,
      'Give the folder or list that the features were made from',
    );
  }
  const dataset = await declared.open(context, index);
  const random = createRandom(0);
  return Promise.all(Array.from(indices, async (i) => (await dataset.read(i, random)).name ?? `sample ${i}`));
}
