/** Params that every model node has besides its own: where its parameters come from, whether and how they are trained. */
import { access } from 'node:fs/promises';
import { type TObject, type TSchema, Type } from '#typebox';
import { FOLLOWS, type ModelKeys } from '../graph/model/keys.ts';
import type { Declared, ModelStatics, NodeProblem } from '../graph/node-type.ts';

const keys: Readonly<Record<string, TSchema>> = {
  weights: Type.Optional(
    Type.String({
      description: 'file or checkpoint folder that the parameters start from; default: drawn at random',
    }),
  ),
  weights_prefix: Type.Optional(
    Type.String({ description: "what the names in the weights file have in front of the model's own" }),
  ),
  frozen: Type.Optional(
    Type.Union([Type.Boolean(), Type.Literal('parameters')], {
      description:
        'true: not trained, and normalisation uses its running statistics; "parameters": not trained, but normalisation works as in training (momentum encoders)',
    }),
  ),
  shares: Type.Optional(
    Type.String({ description: 'node of the same type and params whose parameters it uses (written by model/apply)' }),
  ),
  follows: Type.Optional(FOLLOWS),
  activation_checkpointing: Type.Optional(
    Type.Integer({
      minimum: 2,
      description:
        'parts that the layers are cut into; what is inside a part is computed again in backward instead of kept: less memory, about a third more work, the same gradients; default: everything is kept',
    }),
  ),
};

/** A model's declaration with these params. Its own win where the names are the same. */
export function withModelKeys<S extends TObject, D extends Declared<S> & ModelStatics<S>>(declared: D): D {
  const own = declared.params.properties;
  return {
    ...declared,
    params: Type.Object({ ...keys, ...own }),
    model(context: Parameters<D['model']>[0]) {
      const spec = declared.model(context);
      return spec && (context.params as ModelKeys).frozen === true ? { ...spec, frozen: true } : spec;
    },
    async check(context: { params: unknown; name: string }): Promise<readonly NodeProblem[]> {
      const found = await declared.check?.(context as never);
      const { weights } = context.params as ModelKeys;
      const there = weights === undefined || (await access(weights).then(yes, no));
      return there ? (found ?? []) : [...(found ?? []), { at: 'weights', message: `there is no file ${weights}` }];
    },
  };
}

const yes = () => true;
const no = () => false;
