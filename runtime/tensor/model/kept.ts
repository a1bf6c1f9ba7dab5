/** About how many values steps keep for backward, by their layers' description. */
import type { Layer } from '../../../graph/model/layers.ts';
import { type Tally, values } from '../../../graph/model/tally.ts';
import { walk } from '../../../graph/model/walk.ts';
import type { Step } from './steps.ts';

/** Per step: what its convolutions and the step itself put out, for one image. @param input shape of what the first gets */
export function keptBy(steps: readonly Step[], input: readonly number[]): Map<Step, number> {
  const kept = new Map<Step, number>();
  let shape = input.map((dim) => [dim]) as Parameters<typeof walk>[2];
  for (const step of steps) {
    const tally: Tally = { parameters: [], buffers: [], flops: 0, activations: 0, known: true };
    shape = walk(layerOf(step), '', shape, tally, { trainable: true });
    kept.set(step, tally.activations + (values(shape) ?? 0));
  }
  return kept;
}

const layerOf = (step: Step): Layer => (step.op === 'relu' ? { op: 'relu' } : step.layer);
