/** Params that every model node has besides its own: where its parameters come from, whether and how they are trained. */
import { access } from 'node:fs/promises';
import { type TObject, type TSchema, Type } from '#typebox';
import { FOLLOWS, type ModelKeys } from '../graph/model/keys.ts';
import type { Declared, ModelStatics, NodeProblem, StaticContext } from '../graph/node-type.ts';
import { viewsPerGroup } from '../graph/views.ts';

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

/** Those of models that take images in groups of one size. */
const cropKeys: Readonly<Record<string, TSchema>> = {
  single_pass_every_crop: Type.Optional(
    Type.Boolean({
      description:
        'of images that come as a list of sizes (collator/multicrop): one pass for each crop instead of one for each size, batch norm with the statistics of each crop; less memory with activation_checkpointing (SINGLE_PASS_EVERY_CROP in VISSL); default: false',
    }),
  ),
};

/** A model's declaration with these params. Its own win where the names are the same. */
export function withModelKeys<S extends TObject, D extends Declared<S> & ModelStatics<S>>(declared: D): D {
  const own = declared.params.properties;
  const crops = takesGroups(declared) ? cropKeys : {};
  return {
    ...declared,
    params: Type.Object({ ...keys, ...crops, ...own }),
    show: [...(declared.show ?? []), ...Object.keys(crops)],
    model(context: Parameters<D['model']>[0]) {
      const spec = declared.model(context);
      checkCrops(context);
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

function takesGroups({ inputs }: Pick<Declared<TObject>, 'inputs'>): boolean {
  return typeof inputs === 'object' && Object.values(inputs).some(({ kind, list }) => kind === 'image' && list);
}

function checkCrops({ params, inputs, problem }: StaticContext<unknown>): void {
  if (!(params as ModelKeys).single_pass_every_crop) return;
  const unclear = Object.values(inputs).some(([value]) => value?.list && !viewsPerGroup(value));
  if (!unclear) return;
  const message = 'how many crops there are is not known here';
  problem({ at: 'single_pass_every_crop', message, cure: 'Feed it from a collator' });
}

const yes = () => true;
const no = () => false;
