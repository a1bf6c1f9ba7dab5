import * as tf from '@tensorflow/tfjs-core';

/** What backends over a library of its own have in common: float32, memory that the library counts, kernels that end at once. */
export abstract class NativeBackend extends tf.KernelBackend {
  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override timerAvailable(): boolean {
    return true;
  }

  override async time(f: () => void): Promise<tf.BackendTimingInfo> {
    const start = performance.now();
    f();
    return { kernelMs: performance.now() - start };
  }
}
