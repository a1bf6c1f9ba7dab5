/** SGD by TensorFlow's operations on variables: parameters and velocities are written once, in place. */
import * as tf from '@tensorflow/tfjs-core';
import { composedSgd, decayed } from '../../../composed/sgd.ts';
import type { FusedKernels } from '../../../kernels.ts';
import { scope } from '../../../scope.ts';
import { bool, floats } from '../attributes.ts';
import type { TensorflowBackend } from '../backend.ts';

const unlocked = bool('use_locking', false);

export const sgdKernels = (backend: TensorflowBackend): Pick<FusedKernels, 'sgd'> => ({
  sgd(parameters, gradients, velocities, started, options) {
    const { lr, momentum, weightDecay, nesterov, larc } = options;
    if (momentum === 0) {
      composedSgd.sgd(parameters, gradients, velocities, started, options);
      return;
    }
    const run = (name: string, inputs: number[], ...attributes: (typeof unlocked)[]) =>
      backend.binding.executeOp(name, [floats, unlocked, ...attributes], inputs, 0);
    const [rate, share, decay] = backend.ids([lr, momentum, -weightDecay / momentum].map((value) => tf.scalar(value)));
    parameters.forEach((p, i) => {
      const v = velocities[i];
      scope(() => {
        if (!started) v.assign(tf.zerosLike(v));
        let g = gradients[i];
        if (larc || nesterov) g = decayed(p, g, options);
        else if (weightDecay !== 0) {
          // momentum · (v + decay / momentum · p) + g, without another tensor
          const [values] = backend.ids([p]);
          backend.updateInPlace([v], ([velocity]) => run('ResourceApplyGradientDescent', [velocity, decay, values]));
        }
        const [gradient] = backend.ids([g]);
        backend.updateInPlace([p, v], ([parameter, velocity]) =>
          run('ResourceApplyMomentum', [parameter, velocity, rate, gradient, share], bool('use_nesterov', nesterov)),
        );
      });
    });
  },
});
