/** tfjs-core with the gradients of its kernels. Load it through `openBackend`: importing this file loads tfjs. */
import * as tf from '@tensorflow/tfjs-core';
import { binaryGradients } from './gradients/binary.ts';
import { imageGradients } from './gradients/image.ts';
import { matrixGradients } from './gradients/matrix.ts';
import { reduceGradients } from './gradients/reduce.ts';
import { registerGradients } from './gradients/register.ts';
import { shapeGradients } from './gradients/shape.ts';
import { unaryGradients } from './gradients/unary.ts';
import { volumeGradients } from './gradients/volume.ts';

registerGradients({
  ...unaryGradients,
  ...binaryGradients,
  ...reduceGradients,
  ...shapeGradients,
  ...matrixGradients,
  ...imageGradients,
  ...volumeGradients,
});

export { tf };
