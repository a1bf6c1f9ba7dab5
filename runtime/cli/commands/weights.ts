/** `pipe weights`: what a weights file or checkpoint holds. */
import { describeWeights } from '../../train/describe-weights.ts';
import { plural } from '../output.ts';
import { refusal } from '../request.ts';

export async function weights(path: string, { json }: { readonly json?: boolean }): Promise<void> {
  const found = await describeWeights(path).catch((error: Error) => {
    throw refusal(error.message);
  });
  if (json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const millions = (values: number): string => `${(values / 1e6).toFixed(2)} million parameters`;
  const widest = Math.max(0, ...found.tensors.map(({ name }) => name.length));
  for (const { name, shape, integer } of found.tensors) {
    process.stdout.write(`${name.padEnd(widest)}  [${shape.join(', ')}]${integer ? ' whole numbers' : ''}\n`);
  }
  const names = found.names ? `, names of ${found.names}` : '';
  process.stdout.write(`${plural(found.tensors.length, 'tensor')}, ${millions(found.parameters)}${names}\n`);
  if (found.models.length < 2) return;
  for (const { name, tensors, parameters } of found.models) {
    process.stdout.write(`  ${name}: ${plural(tensors, 'tensor')}, ${millions(parameters)}\n`);
  }
}
