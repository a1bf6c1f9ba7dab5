/** What the tensorflow backend does by TensorFlow's own operations. */
import type { OpenedBackend } from '../opener.ts';
import type { TensorflowBackend } from './backend.ts';
import { convKernels } from './fused/conv.ts';
import { losses } from './fused/losses.ts';
import { normKernels } from './fused/norm.ts';
import { poolKernels } from './fused/pool.ts';
import { sgdKernels } from './fused/sgd.ts';
import { hostKernels } from './kernels/host.ts';
import { override, register } from './kernels/register.ts';
import { valueKernels, valueOverrides } from './kernels/value.ts';
import { windowOverrides } from './kernels/window.ts';
import { createProducts } from './precision.ts';
import { createRun } from './run.ts';

export function tensorflowKernels(
  backend: TensorflowBackend,
): Pick<OpenedBackend, 'kernels' | 'ops' | 'setPrecision' | 'sync'> {
  const run = createRun(backend);
  const products = createProducts(backend);
  const gpu = backend.binding.isUsingGpuDevice();
  const kernels = { ...convKernels(products), ...normKernels(run, gpu), ...poolKernels(run), ...sgdKernels(backend) };
  const host = hostKernels(backend);
  register({ ...valueKernels(run), ...host.kernels });
  override(valueOverrides(products));
  override(windowOverrides(kernels));
  override(host.overrides);
  return {
    kernels,
    ops: losses(run),
    setPrecision: products.setPrecision,
  };
}
