/** Optimizers written inline in the params of another: {"optimizer": "sgd", …}. */
import { Value } from '@sinclair/typebox/value';
import type { NestedNode, NodeType, Optimizer, OptimizerContext } from '../node.ts';
import { inlineType, inlineTypes, type TypeLoader } from './inline-types.ts';

export interface InlineOptimizers {
  /** @throws Error for a type that is not an optimizer */
  create(node: NestedNode, context: OptimizerContext<any>): Optimizer;
}

/** Load the optimizer types that the params of optimizers use. */
export async function loadOptimizers(allParams: Iterable<unknown>, types: TypeLoader): Promise<InlineOptimizers> {
  const names = new Set<string>();
  for (const params of allParams) inlineTypes('optimizer', params, names);
  const loaded = await types.load(names);
  return {
    create({ optimizer: name, ...given }, context) {
      const type = typeof name === 'string' ? (loaded.get(inlineType('optimizer', name)) as NodeType) : undefined;
      if (type?.role !== 'optimizer') throw new Error(`there is no optimizer ${JSON.stringify(name)}`);
      return type.create({ ...context, params: Value.Default(type.params, structuredClone(given)) });
    },
  };
}
