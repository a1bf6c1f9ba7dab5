/**
 * Names of a ResNet's parameters in other projects. Ours are VISSL's: "_feature_blocks.layer1.0.bn1.weight". Functions
 * give undefined for names that the other project has not.
 */

const OWN = '_feature_blocks.';

/** "_feature_blocks.conv1.weight" → "conv1.weight" */
export const toTorchvision = (name: string): string => name.replace(OWN, '');

/** → "res2.0.conv1.norm.weight"; no counters of batches and no classifiers */
export function toDetectron2(name: string): string | undefined {
  if (/num_batches_tracked|\bfc[12]?\b/.test(name)) return undefined;
  const bare = toTorchvision(name);
  const renamed = bare
    .replace(/^layer(\d)/, (_, layer) => `res${Number(layer) + 1}`)
    .replace('downsample.0', 'shortcut')
    .replace('downsample.1', 'shortcut.norm')
    .replace(/\bbn(\d)/, 'conv$1.norm');
  return bare.startsWith('layer') ? renamed : `stem.${renamed}`;
}

const CLASSY: Readonly<Record<string, string>> = {
  conv1: 'convolutional_block.0',
  bn1: 'convolutional_block.1',
  conv2: 'convolutional_block.3',
  bn2: 'convolutional_block.4',
  conv3: 'convolutional_block.6',
  bn3: 'bn',
};

/** → "blocks.0.block0-0.convolutional_block.0.weight" */
export function toClassyVision(name: string): string {
  const bare = toTorchvision(name);
  const inBlock = /^layer(\d)\.(\d+)\.(\w+)(.*)$/.exec(bare);
  if (inBlock) {
    const [, layer, block, part, rest] = inBlock;
    const stage = Number(layer) - 1;
    return `blocks.${stage}.block${stage}-${block}.${CLASSY[part] ?? part}${rest}`;
  }
  return bare.replace(/^conv1\./, 'initial_block._module.0.').replace(/^bn1\./, 'initial_block._module.1.');
}

/** Back from ClassyVision's names; no counters of batches and no classifiers. */
export function fromClassyVision(name: string): string | undefined {
  if (/num_batches_tracked|\b(fc|clf)\b/.test(name)) return undefined;
  const inBlock = /^blocks\.(\d)\.block\d-(\d+)\.(convolutional_block\.\d|bn|downsample)(.*)$/.exec(name);
  if (inBlock) {
    const [, stage, block, part, rest] = inBlock;
    const own = Object.keys(CLASSY).find((key) => CLASSY[key] === part) ?? part;
    return `${OWN}layer${Number(stage) + 1}.${block}.${own}${rest}`;
  }
  const first = /^initial_block\._module\.([01])\.(.*)$/.exec(name);
  return first ? `${OWN}${first[1] === '0' ? 'conv1' : 'bn1'}.${first[2]}` : undefined;
}

/** Our name → the name in a project's files. */
export const NAMINGS: Readonly<Record<string, (name: string) => string | undefined>> = {
  vissl: (name) => name,
  torchvision: toTorchvision,
  detectron2: toDetectron2,
  classy: toClassyVision,
};
