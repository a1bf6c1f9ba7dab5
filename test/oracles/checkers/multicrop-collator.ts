import multicrop from '../../../nodes/collators/multicrop.ts';
import type { BatchTensor } from '../../../runtime/data/slabs.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { type Checker, NotSupported } from '../checker.ts';
import { collate, inNchw } from '../collate.ts';
import { near, same } from '../compare.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

/** Crop by crop as VISSL has it, of tensors that hold runs of crops of one size. */
function crops(groups: readonly BatchTensor[], images: number): { shape: number[]; data: Float32Array }[] {
  return groups.flatMap((group) => {
    const { shape, data } = inNchw(group);
    const size = data.length / (shape[0] / images);
    return Array.from({ length: shape[0] / images }, (_, i) => ({
      shape: [images, ...shape.slice(1)],
      data: data.slice(i * size, (i + 1) * size),
    }));
  });
}

async function check({ params, inputs, outputs, tolerance }: OracleCase): Promise<void> {
  if (params.create_multidimensional_tensor) throw new NotSupported('crops of several sizes padded into one tensor');
  const { batch } = inputs;
  const got = await collate(
    multicrop as NodeType,
    batch.map((sample: any) => ({ views: sample.data, label: sample.label[0], valid: sample.data_valid[0] })),
  );
  const wanted = outputs.batch.data[0] as OracleTensor[];
  const found = crops(got.images as BatchTensor[], batch.length);
  same(
    found.map(({ shape }) => shape),
    wanted.map(({ shape }) => [...shape]),
    'shapes of the crops',
  );
  for (const [i, { data }] of found.entries()) near(data, wanted[i].data, tolerance, `crop ${i}`);
  const facts = (port: string) => Array.from((got[port] as BatchTensor).data);
  same(facts('label'), outputs.batch.label[0].data, 'label');
  const indices = facts('index').map((i) => batch[i].data_idx[0]);
  same(indices, outputs.batch.data_idx[0].data, 'index');
  // here an image is valid or not with all its crops; the cases have some whose crops differ
  const uniform = (image: number) => new Set(batch[image].data_valid).size === 1;
  const only = (values: readonly unknown[]) => values.filter((_, i) => uniform(i % batch.length)).map(Number);
  same(only(facts('valid')), only(outputs.batch.data_valid[0].data), 'valid');
}

export default [{ pattern: /^collators\/multicrop_collator\.json$/, check }] satisfies readonly Checker[];
