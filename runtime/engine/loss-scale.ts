/**
 * Dynamic loss scaling: most gradients of a float16 network are too small for float16, unless the loss is multiplied by
 * a large number before the backward pass (Micikevicius et al. 2018, arXiv:1710.03740). The rule and its numbers are
 * those of PyTorch's GradScaler: a step with a gradient that is not finite is left out and halves the scale; 2000 steps
 * without one double it. Gradients are looked at when they are the means over the ranks, which all ranks have alike.
 */
import type { StateStore } from '../node.ts';
import type { Tensor, TensorBackend, Variable } from '../tensor/types.ts';

const FIRST = 65536;
const GROWTH = 2;
const GROWTH_INTERVAL = 2000;
const BACKOFF = 0.5;
/** below it, what overflows is not float16 but the run; 30 steps in a row are left out until then */
const LEAST = 2 ** -13;

export interface LossScale {
  readonly value: number;
  /** What the backward pass starts from. */
  scaled(loss: Tensor): Tensor;
  /**
   * Put gradients of the loss itself in the place of these, or none where one is not finite.
   * @returns whether they are finite; else the step is to be left out
   */
  unscale(gradients: Map<Variable, Tensor | null>): Promise<boolean>;
  /** A step was taken, or left out. @throws Error when the scale has become too small */
  update(leftOut: boolean): void;
}

type Notice = (level: 'info' | 'warning', message: string, cure?: string) => void;

/** @param state kept in checkpoints */
export function createLossScale(
  { tf, scope }: TensorBackend,
  state: Pick<StateStore, 'number'>,
  notice: Notice,
): LossScale {
  const scale = state.number('value', FIRST);
  const finiteSteps = state.number('finite_steps', 0);

  return {
    get value() {
      return scale.value;
    },
    scaled: (loss) => tf.mul(loss, scale.value),
    async unscale(gradients) {
      const each: Tensor[] = [];
      const factor = tf.scalar(1 / scale.value);
      for (const [variable, scaled] of gradients) {
        if (!scaled) continue;
        const gradient = tf.mul(scaled, factor);
        scaled.dispose();
        gradients.set(variable, gradient);
        each.push(scope(() => tf.all(tf.isFinite(gradient))));
      }
      if (each.length === 0) return true;
      const [finite] = await scope(() => tf.all(tf.stack(each))).data();
      if (finite) return true;
      for (const [variable, gradient] of gradients) {
        gradient?.dispose();
        gradients.set(variable, null);
      }
      return false;
    },
    update(leftOut) {
      if (leftOut) {
        const before = scale.value;
        scale.value *= BACKOFF;
        finiteSteps.value = 0;
        if (scale.value < LEAST) {
          throw new Error(
            `float16: gradients are not finite, though the loss scale has gone down to ${before}: the loss diverges, or the model needs larger numbers than float16 has. Known cures: a lower learning rate or a warm-up; "precision": "bfloat16" or "float32"`,
          );
        }
        notice(
          'info',
          `float16: a gradient is not finite with the loss scale ${before}: the step is left out, the next ones have ${scale.value}`,
        );
        return;
      }
      finiteSteps.value++;
      if (finiteSteps.value < GROWTH_INTERVAL) return;
      finiteSteps.value = 0;
      const grown = scale.value * GROWTH;
      if (Number.isFinite(Math.fround(grown))) scale.value = grown;
    },
  };
}
