/** Kernels on the host, on copies of libtorch's values. */
import { type HostAccess, hostKernel } from '../host.ts';
import { kernelScope } from './aten.ts';
import { dataOf, read, register, write } from './data.ts';
import type { Kernel } from './register.ts';

const access: HostAccess = {
  read: (tensor) => read(dataOf(tensor)),
  write: (values, shape, dtype) => register(write(values, shape, dtype)),
};

/** The kernel of this name of tfjs's cpu backend. */
export function onHost(name: string): Kernel {
  const kernel = hostKernel(name, access);
  return (inputs, attributes) => kernelScope(() => kernel(inputs, attributes));
}

/** Where any input is of strings, the host's kernel; else the given one. */
export function unlessStrings(name: string, kernel: Kernel): Kernel {
  const host = onHost(name);
  return (inputs, attributes) => {
    for (const key in inputs) if (inputs[key].dtype === 'string') return host(inputs, attributes);
    return kernel(inputs, attributes);
  };
}
