/** What a dataset is given, those written inline in its params included. */
import type { DatasetContext, NodeType } from '../node.ts';
import { typeOfRole } from './node-types.ts';
import type { NodeUse } from './tasks.ts';

/** @param types every type in use, by type or alias */
export function datasetContext(
  types: ReadonlyMap<string, NodeType>,
  { name, params }: Omit<NodeUse, 'type'>,
  run: Pick<DatasetContext<unknown>, 'seed' | 'signal' | 'notice'>,
): DatasetContext<any> {
  return {
    ...run,
    name,
    params,
    nested: ({ dataset, ...own }) => {
      const declared = typeOfRole(types, `dataset/${dataset}`, 'dataset');
      const context = datasetContext(types, { name: `${name}.${dataset}`, params: own }, run);
      return {
        scan: async () => declared.scan(context),
        open: async (index) => declared.open(context, index),
      };
    },
  };
}
