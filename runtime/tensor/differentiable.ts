import { engine } from './engine.ts';
import type { Tensor } from './types.ts';

export interface Forward<T extends Tensor | Tensor[]> {
  readonly output: T;
  /** what the gradient reads besides dy */
  readonly save: readonly Tensor[];
}

/**
 * One operation with its own gradient. Like tf.customGrad, but gradients are computed per input and only where wanted
 * (no image gradient for the first convolution), several outputs are possible, and absent (null) inputs are left out.
 * @param forward runs with recording off; its temporaries are freed
 * @param backward dy has the form of the output; work that several inputs share must be done outside their functions
 */
export function differentiable<T extends Tensor | Tensor[]>(
  inputs: Readonly<Record<string, Tensor | null>>,
  forward: () => Forward<T>,
  backward: (dy: T, saved: Tensor[]) => Record<string, () => Tensor>,
): T {
  const present = Object.fromEntries(
    Object.entries(inputs).filter((entry): entry is [string, Tensor] => entry[1] !== null),
  );
  return engine.runKernelFunc<T>({
    inputs: present,
    forwardFunc: (_backend, save) => {
      const { output, save: saved } = forward();
      save([...saved]);
      return output;
    },
    backwardsFunc: (dy, saved) => backward(dy as T, saved),
  });
}
