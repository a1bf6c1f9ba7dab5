/** What a model costs, in a few words. */
import { size } from '../dim.ts';
import type { Cost, ModelSummary } from '../model/summary.ts';
import type { Shape } from '../port.ts';
import { formatValue, short } from './text.ts';

/** "23.5 M parameters", "4.12 GFLOPs at 224×224, 757 MFLOPs at 96×96" (of one image; multiply-accumulate = 1). */
export function costLines({ parameterCount, trainableCount, costs }: ModelSummary): string[] {
  const count = `${short(parameterCount)} parameters`;
  const some = trainableCount === 0 ? `${count}, frozen` : `${count}, ${short(trainableCount)} trained`;
  const flops = costs.flatMap((cost) => flopsAt(cost, costs.length > 1) ?? []);
  return [trainableCount === parameterCount ? count : some, ...(flops.length > 0 ? [flops.join(', ')] : [])];
}

/** Name, shape, parameters, FLOPs of the stages that do something. */
export function stageRows({ stages }: ModelSummary): string[][] {
  return stages.map(({ name, shapes, parameters, flops }) => [
    name,
    inside(shapes),
    parameters > 0 ? short(parameters) : '',
    flops ? `${short(flops)}FLOPs`.replace(/(\d)FLOPs/, '$1 FLOPs') : '',
  ]);
}

function flopsAt({ input, flops }: Cost, several: boolean): string | undefined {
  if (flops === undefined) return undefined;
  const text = `${short(flops)}FLOPs`.replace(/(\d)FLOPs/, '$1 FLOPs');
  const sides = input.slice(1, -1).map(size);
  return sides.some((side) => side !== 1) || several ? `${text} at ${sides.join('×')}` : text;
}

/** Shapes without the batch: "112×112×64, 48×48×64". */
function inside(shapes: readonly Shape[]): string {
  return (
    formatValue({ rate: 'batch', kind: 'tensor', list: true, shapes: shapes.map((shape) => shape.slice(1)) }) ?? ''
  );
}
