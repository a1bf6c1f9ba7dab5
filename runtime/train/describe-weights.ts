/** What a weights file holds: tensors, models, whose names they have. */
import { isFeatureExtractor } from './rename.ts';
import { openWeightsFile } from './weights-file.ts';

export interface DescribedWeights {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly integer: boolean }[];
  /** values of all tensors but counters and running statistics */
  readonly parameters: number;
  /** by what stands before the first dot */
  readonly models: readonly { readonly name: string; readonly tensors: number; readonly parameters: number }[];
  /** whose names they are, where that can be told */
  readonly names?: string;
}

/** @throws Error when there is no such file or it cannot be read */
export async function describeWeights(path: string): Promise<DescribedWeights> {
  const file = await openWeightsFile(path);
  try {
    const tensors: { name: string; shape: readonly number[]; integer: boolean }[] = [];
    const models = new Map<string, { name: string; tensors: number; parameters: number }>();
    let parameters = 0;
    for (const name of file.names) {
      const { shape, values } = await file.read(name);
      tensors.push({ name, shape, integer: values instanceof Int32Array });
      const counted = /running_|num_batches_tracked/.test(name) ? 0 : values.length;
      const front = name.includes('.') ? name.slice(0, name.indexOf('.')) : name;
      const model = models.get(front) ?? { name: front, tensors: 0, parameters: 0 };
      models.set(front, { name: front, tensors: model.tensors + 1, parameters: model.parameters + counted });
      parameters += counted;
    }
    const names = projectOf(file.names);
    return { tensors, parameters, models: [...models.values()], ...(names ? { names } : {}) };
  } finally {
    await file.close();
  }
}

function projectOf(names: readonly string[]): string | undefined {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (names.length > 0 && isFeatureExtractor(names.map((name) => name.replace(/^trunk\./, '')))) {
    return 'VISSL (a feature extractor)';
  }
  if (has(/(^|\.)_feature_blocks\./)) return 'VISSL';
  if (has(/(^|\.)initial_block\._module\./)) return 'ClassyVision';
  if (has(/(^|\.)stem\.conv1\.(norm\.)?\w+$/)) return 'Detectron2';
  if (has(/(^|\.)layer1\.0\.conv1\.weight$/)) return 'torchvision';
  return has(/(^|\.)blocks\.0\.attn\.qkv\.weight$/) ? 'timm' : undefined;
}
