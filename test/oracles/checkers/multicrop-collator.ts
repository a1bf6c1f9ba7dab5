import multicrop from '../../../nodes/collators/multicrop.ts';
import type { BatchTensor } from '../../../runtime/data/slabs.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { Checker } from '../checker.ts';
import { type Collated, collate, inNchw } from '../collate.ts';
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

function checkCrops(got: Collated, wanted: readonly OracleTensor[], images: number, tolerance: number): void {
  const found = crops(got.images as BatchTensor[], images);
  same(
    found.map(({ shape }) => shape),
    wanted.map(({ shape }) => [...shape]),
    'shapes of the crops',
  );
  for (const [i, { data }] of found.entries()) near(data, wanted[i].data, tolerance, `crop ${i}`);
}

function checkPadded(got: Collated, { multidimensional_tensor: wanted }: any, tolerance: number): void {
  const { shape, data } = inNchw(got.images as BatchTensor);
  same(shape, wanted.tensor.shape, 'shape of the padded tensor');
  near(data, wanted.tensor.data, tolerance, 'padded tensor');
  const mask = got.mask as BatchTensor;
  same(mask.shape, wanted.mask.shape, 'shape of the mask');
  same(Array.from(mask.data), wanted.mask.data.map(Number), 'mask');
}

async function check({ params, inputs, outputs, tolerance }: OracleCase): Promise<void> {
  const { batch } = inputs;
  const got = await collate(
    multicrop as NodeType,
    batch.map((sample: any) => ({ views: sample.data, label: sample.label[0], valid: sample.data_valid[0] })),
    params,
  );
  if (params.create_multidimensional_tensor) checkPadded(got, outputs.batch.data[0], tolerance);
  else checkCrops(got, outputs.batch.data[0], batch.length, tolerance);
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
