/** What heads read: features [N, D] or maps of one place [N, 1, 1, D], and the checks on their width. */
import { size } from '../../graph/dim.ts';
import type { Report } from '../../graph/node-type.ts';
import type { PortValue } from '../../graph/port.ts';
import { batch } from '../../runtime/node.ts';

export const featuresInput = batch.tensor('float32', undefined, {
  description: '[N, D], or maps of one place [N, 1, 1, D]',
});

/** Reports features that are no vectors, or of another width than dims[0]. True when all is well or unknown. */
export function checkWidth(value: PortValue | undefined, dims: readonly number[], problem: Report): boolean {
  const shape = value?.shapes?.[0];
  if (!shape) return true;
  const sizes = shape.map(size);
  if (sizes.slice(1, -1).some((n) => n !== undefined && n !== 1)) {
    problem({
      at: 'features',
      message: `the features are maps of ${sizes.slice(1, -1).join('×')} places, and this head takes vectors`,
      cure: 'Connect a pooled output such as res5avg',
    });
    return false;
  }
  const width = sizes.at(-1);
  if (width === undefined || width === dims[0]) return true;
  problem({
    at: 'dims',
    message: `dims begins with ${dims[0]}, and the features have ${width} values`,
    cure: `Write dims as [${[width, ...dims.slice(1)].join(', ')}]`,
  });
  return false;
}
