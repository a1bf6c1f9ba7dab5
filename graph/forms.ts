/**
 * The forms in which a document uses models once more. A copy is taken apart into nodes of the originals' types before
 * the graph is checked, so that there is no node of these types to import or to run; help, reference pages and schema
 * have them all the same.
 */
import { type TObject, Type } from '#typebox';
import type { Described } from './describe.ts';
import { FOLLOWS } from './model/keys.ts';

/** Uses the parameters of other models on other inputs. */
export const APPLY = 'model/apply';
/** Moving averages of other models. */
export const MOMENTUM = 'model/momentum';

const of = Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
  description:
    'the models: a node, chain or graph, or several in their order; a copy named slow of trunk and head is the nodes slow/trunk and slow/head, wired to each other as those are, with the inputs given here in place of what comes from elsewhere; slow.scores is a port of the last',
});

const { node: _, ...following } = FOLLOWS.properties;

export const FORMS: readonly (Described & { readonly params: TObject })[] = [
  {
    type: APPLY,
    role: 'model',
    description: 'Other models once more, on other inputs: they share their parameters, which are trained by both.',
    params: Type.Object({ of }),
  },
  {
    type: MOMENTUM,
    role: 'model',
    description:
      'A momentum encoder: copies of other models that are not trained, but follow them as a moving average (arXiv:1911.05722).',
    params: Type.Object({ of, ...following }),
  },
];
