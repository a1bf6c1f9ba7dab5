import type { RunView } from '../../runtime/events.ts';
import type { Tensor, TensorApi } from '../../runtime/tensor/types.ts';

/** Gradients of the running step by parameter; those without one are left out. */
export function gradientsOf(run: RunView): [name: string, gradient: Tensor][] {
  return [...run.parameters].flatMap(([name, view]) => {
    const gradient = view.gradient();
    return gradient ? [[name, gradient] as [string, Tensor]] : [];
  });
}

/** Norm of all gradients as one vector, with one read from the device. @param norm 2, or Infinity */
export async function globalNorm(tf: TensorApi, gradients: readonly Tensor[], norm: number): Promise<number> {
  if (gradients.length === 0) return 0;
  const total = tf.tidy(() =>
    norm === Number.POSITIVE_INFINITY
      ? tf.max(tf.stack(gradients.map((gradient) => tf.max(tf.abs(gradient)))))
      : tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))))),
  );
  const [value] = await total.data();
  total.dispose();
  return value;
}
