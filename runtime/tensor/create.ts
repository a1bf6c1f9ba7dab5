import type { OpenedBackend } from './backends/opener.ts';
import { createOps } from './ops.ts';
import { precisionOf } from './precision.ts';
import { scope, scopeAsync } from './scope.ts';
import { openTape } from './tape.ts';
import { tf } from './tfjs.ts';
import type { TensorBackend } from './types.ts';

/** The contract of types.ts over an opened tfjs backend of this name. */
export function createBackend(name: string, opened: OpenedBackend): TensorBackend {
  return {
    name,
    device: opened.device,
    tf,
    ops: { ...createOps(opened.kernels), ...opened.ops },
    activate() {
      void tf.setBackend(name); // takes effect at once for a backend that is ready
    },
    withPrecision: precisionOf(name, opened),
    openTape,
    scope,
    scopeAsync,
    kernels: () => new Set(tf.getKernelsForBackend(name).map((kernel) => kernel.kernelName)),
    memory() {
      const { numTensors, numBytes } = tf.memory();
      return { tensors: numTensors, bytes: numBytes };
    },
    ...(opened.streams ? { streams: opened.streams } : {}),
    sync: () => opened.sync?.() ?? Promise.resolve(),
  };
}
