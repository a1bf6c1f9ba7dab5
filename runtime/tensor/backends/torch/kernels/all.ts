import type { Kernels } from '../register.ts';
import { binaryKernels } from './binary.ts';
import { complexKernels } from './complex.ts';
import { convKernels } from './conv.ts';
import { gatherKernels } from './gather.ts';
import { hostKernels } from './host.ts';
import { imageKernels } from './image.ts';
import { matrixKernels } from './matrix.ts';
import { poolKernels } from './pool.ts';
import { reduceKernels } from './reduce.ts';
import { shapeKernels } from './shape.ts';
import { unaryKernels } from './unary.ts';

/** Every kernel of tfjs's cpu backend. */
export const kernels: Kernels = {
  ...unaryKernels,
  ...binaryKernels,
  ...reduceKernels,
  ...complexKernels,
  ...shapeKernels,
  ...gatherKernels,
  ...matrixKernels,
  ...convKernels,
  ...poolKernels,
  ...imageKernels,
  ...hostKernels,
};
