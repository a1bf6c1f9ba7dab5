/** The params of every model node that say where its parameters come from. */
import { Type } from '#typebox';
import { type NestedNode, nested } from '../node-type.ts';

export interface ModelKeys {
  /** file or checkpoint folder that the parameters start from */
  readonly weights?: string;
  readonly weights_prefix?: string;
  readonly frozen?: boolean | 'parameters';
  /** node whose parameters it uses */
  readonly shares?: string;
  readonly follows?: Follows;
  /** parts of which only the inputs are kept for backward */
  readonly activation_checkpointing?: number;
  /** of images that come as a list of groups: one pass for each crop instead of one for each size */
  readonly single_pass_every_crop?: boolean;
}

/** Parameters that are the moving average of another node's. */
export interface Follows {
  readonly node: string;
  readonly momentum: number | NestedNode;
  readonly statistics: 'own' | 'copy' | 'average';
  readonly shuffle: boolean;
  readonly eval_mode_from_iteration?: number;
}

export const MODEL_KEYS: ReadonlySet<string> = new Set([
  'weights',
  'weights_prefix',
  'frozen',
  'shares',
  'follows',
  'activation_checkpointing',
  'single_pass_every_crop',
]);

export const FOLLOWS = Type.Object(
  {
    node: Type.String({ description: 'node of the same type and params' }),
    momentum: nested('schedule', {
      number: true,
      default: 0.999,
      description: 'share of the old parameters kept at each step, or a schedule of it',
    }),
    statistics: Type.Union([Type.Literal('own'), Type.Literal('copy'), Type.Literal('average')], {
      default: 'own',
      description: 'running statistics: of its own batches (MoCo), copied (SwAV), or averaged too',
    }),
    shuffle: Type.Boolean({
      default: false,
      description: 'with several ranks: mix the images of all, so that batch statistics tell nothing (MoCo)',
    }),
    eval_mode_from_iteration: Type.Optional(
      Type.Integer({ minimum: 0, description: 'step from which it is in evaluation mode; default: never' }),
    ),
  },
  { description: 'its parameters are the moving average of those of another node (written by model/momentum)' },
);
