/** tfjs's WebGPU backend, with reads that work in Node and errors that are not lost. */
import * as tf from '@tensorflow/tfjs-core';
import type { Gpu, GpuBuffer, GpuDevice } from './dawn.ts';
import type { OpenDevice } from './device.ts';

type Values = tf.backend_util.BackendValues;

interface TensorData {
  readonly dtype: tf.DataType;
  readonly shape: number[];
  readonly values?: Values | null;
  readonly resource?: GpuBuffer | null;
  readonly complexTensorInfos?: { readonly real: tf.TensorInfo; readonly imag: tf.TensorInfo };
}

/** What of tfjs's class is used here; most of it is not part of its declared interface. */
interface Stock extends tf.KernelBackend {
  readonly device: GpuDevice;
  readonly tensorMap: { has(dataId: tf.DataId): boolean; get(dataId: tf.DataId): TensorData };
  commandEncoder: {
    copyBufferToBuffer(from: GpuBuffer, a: number, to: GpuBuffer, b: number, size: number): void;
  } | null;
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): GpuBuffer;
    releaseBuffer(buffer: GpuBuffer): void;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: tf.DataId): void;
  convertAndCacheOnCPU(dataId: tf.DataId, values: Values): Values;
  readSync(dataId: tf.DataId): Values;
  read(dataId: tf.DataId): Promise<Values>;
}

type StockClass = new (device: GpuDevice, adapterInfo: object) => Stock;

export interface DawnBackend extends Stock {
  /** Resolves when the GPU has done all that was asked of it. @throws when any of it failed */
  finish(): Promise<void>;
}

// GPUBufferUsage and GPUMapMode of the standard
const [MAP_READ, COPY_DST, READ] = [1, 8, 1];

export async function createDawnBackend({
  device,
  facts,
  adapterInfo,
  gpu,
  pump,
  check,
}: OpenDevice): Promise<DawnBackend> {
  const { WebGPUBackend } = (await import('@tensorflow/tfjs-backend-webgpu' as string)) as {
    WebGPUBackend: StockClass;
  };
  const largest = Math.min(facts.limits.maxStorageBufferBindingSize, facts.limits.maxBufferSize);

  class Backend extends WebGPUBackend implements DawnBackend {
    /** tfjs's own needs a canvas of a browser. */
    override readSync(dataId: tf.DataId): Values {
      const { values, dtype, resource, complexTensorInfos: parts } = this.tensorMap.get(dataId);
      if (values || dtype === 'string') return values!;
      if (parts) return this.keep(dataId, joined(this.readSync(parts.real.dataId), this.readSync(parts.imag.dataId)));
      const staging = this.stage(resource!);
      staging.mapAsync(READ).catch(() => {}); // what failed is said by check
      if (!pump(() => staging.mapState !== 'pending'))
        throw new Error('this version of the package webgpu cannot be waited for: read with `await tensor.data()`');
      return this.keep(dataId, this.take(staging, dtype));
    }

    /** Unlike tfjs's own, the tensor may be disposed of while its values are on their way. */
    override async read(dataId: tf.DataId): Promise<Values> {
      const { values, dtype, resource, complexTensorInfos: parts } = this.tensorMap.get(dataId);
      if (values || dtype === 'string') return values!;
      if (parts) {
        const [real, imag] = await Promise.all([this.read(parts.real.dataId), this.read(parts.imag.dataId)]);
        return this.keep(dataId, joined(real, imag));
      }
      const staging = this.stage(resource!);
      await staging.mapAsync(READ).catch(() => {});
      return this.keep(dataId, this.take(staging, dtype));
    }

    /** A copy that the host can map, ordered after all work asked for so far. */
    private stage(from: GpuBuffer): GpuBuffer {
      const staging = this.bufferManager.acquireBuffer(from.size, COPY_DST | MAP_READ);
      this.ensureCommandEncoderReady();
      this.endComputePassEncoder();
      this.commandEncoder!.copyBufferToBuffer(from, 0, staging, 0, from.size);
      this.submitQueue();
      return staging;
    }

    private take(staging: GpuBuffer, dtype: tf.DataType): Values {
      check();
      const bytes = staging.getMappedRange().slice(0);
      staging.unmap();
      this.bufferManager.releaseBuffer(staging);
      return tf.util.convertBackendValuesAndArrayBuffer(bytes, dtype);
    }

    private keep(dataId: tf.DataId, values: Values): Values {
      if (this.tensorMap.has(dataId)) this.convertAndCacheOnCPU(dataId, values);
      return values;
    }

    override uploadToGPU(dataId: tf.DataId): void {
      const { shape, dtype, resource } = this.tensorMap.get(dataId);
      const bytes = tf.util.sizeFromShape(shape) * 4;
      if (!resource && bytes > largest) {
        const megabytes = (n: number): string => `${Math.round(n / 2 ** 20)} MB`;
        throw new Error(
          `a ${dtype} tensor [${shape}] takes ${megabytes(bytes)}; a buffer of ${facts.name} holds ${megabytes(largest)}: use a smaller batch_size or image size`,
        );
      }
      super.uploadToGPU(dataId);
    }

    async finish(): Promise<void> {
      if (this.commandEncoder) {
        this.endComputePassEncoder();
        this.submitQueue();
      }
      await device.queue.onSubmittedWorkDone();
      check();
    }
  }
  return withNavigator(gpu, () => new Backend(device, adapterInfo));
}

const joined = (real: Values, imag: Values): Float32Array =>
  tf.backend_util.mergeRealAndImagArrays(real as Float32Array, imag as Float32Array);

/** Run f where tfjs's constructor finds navigator.gpu: Node has no navigator, or one without it. */
function withNavigator<T>(gpu: Gpu, f: () => T): T {
  const scope = globalThis as { navigator?: object };
  const own = scope.navigator;
  if (!own) Object.defineProperty(scope, 'navigator', { value: {}, configurable: true });
  Object.defineProperty(scope.navigator!, 'gpu', { value: gpu, configurable: true });
  try {
    return f();
  } finally {
    if (own) Reflect.deleteProperty(own, 'gpu');
    else Reflect.deleteProperty(scope, 'navigator');
  }
}
