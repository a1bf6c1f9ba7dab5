/** VISSL's trunk configs as node types with params. */
import alexnet from '../../nodes/trunks/alexnet.ts';
import efficientnet from '../../nodes/trunks/efficientnet.ts';
import regnet from '../../nodes/trunks/regnet.ts';
import resnet from '../../nodes/trunks/resnet.ts';
import type { NodeType } from '../../runtime/node.ts';
import { NotSupported } from './checker.ts';

type Config = Readonly<Record<string, any>>;

export interface TrunkNode {
  readonly definition: NodeType;
  readonly params: Readonly<Record<string, unknown>>;
}

const NORMS: Readonly<Record<string, string>> = {
  BatchNorm: 'batch_norm',
  LayerNorm: 'layer_norm',
  GroupNorm: 'group_norm',
};

const defined = (params: Config): Config =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));

/** @param overrides TRUNK_PARAMS of the case */
export function trunkNode(trunk: string, overrides: Config, input = 'rgb'): TrunkNode {
  if (trunk === 'resnet') {
    const config = overrides.RESNETS ?? {};
    const params = defined({
      depth: config.DEPTH,
      width_multiplier: config.WIDTH_MULTIPLIER,
      norm: NORMS[config.NORM],
      groups: config.GROUPS,
      width_per_group: config.WIDTH_PER_GROUP,
      zero_init_residual: config.ZERO_INIT_RESIDUAL,
      layer4_stride: config.LAYER4_STRIDE,
      input,
    });
    return { definition: resnet as NodeType, params };
  }
  if (trunk === 'regnet') {
    const { name, block_type: _, ...config } = overrides.REGNET ?? {};
    const params = defined({ ...config, name: name === 'anynet' ? undefined : name, input });
    return { definition: regnet as NodeType, params };
  }
  if (trunk.startsWith('alexnet_')) {
    return { definition: alexnet as NodeType, params: { variant: trunk.slice('alexnet_'.length) } };
  }
  if (trunk === 'efficientnet') {
    const { min_width, ...config } = overrides.EFFICIENT_NETS;
    const params = defined({ ...config, min_width: min_width ?? undefined, input });
    return { definition: efficientnet as NodeType, params };
  }
  throw new NotSupported(`no trunk node for ${trunk}`);
}
