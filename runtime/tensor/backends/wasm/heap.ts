/** Own kernels on the memory of tfjs's wasm backend: they read and write its tensors in place. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Variable } from '../../types.ts';
import binary from './binary.ts';
import type { Kernels } from './exports.ts';

interface TfjsWasm {
  readonly wasm: {
    readonly asm: Record<string, unknown>;
    /** views of the memory; tfjs renews them when it grows */
    readonly HEAP32: Int32Array;
    readonly HEAPF32: Float32Array;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      /** forgets the number and what was kept for it; the memory stays */
      disposeData(id: number): void;
    };
  };
  dataIdNextNumber: number;
  readonly dataIdMap: { get(dataId: object): { id: number; readonly memoryOffset: number } };
  makeOutput(shape: number[], dtype: string): { dataId: object; shape: number[]; dtype: 'float32' | 'int32' };
  refCount(dataId: object): number;
}

export class Heap {
  #kernels: Kernels | undefined;
  #backend: TfjsWasm | undefined;
  #scratch = 0;
  #scratchBytes = 0;

  /**
   * Work on the memory of this instance of tfjs's backend. tfjs calls it (as the set-up of a kernel) whenever the
   * backend is chosen, which may be a new instance. @throws where this build of tfjs does not hand out its memory
   */
  attach(backend: object): void {
    if (backend === this.#backend) return;
    const attached = backend as TfjsWasm;
    const memory = Object.values(attached.wasm.asm).find((value) => value instanceof WebAssembly.Memory);
    if (!memory)
      throw new Error('this build of @tensorflow/tfjs-backend-wasm does not hand out its memory; use 4.22.0');
    const module = new WebAssembly.Module(Buffer.from(binary, 'base64'));
    this.#kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
    this.#backend = attached;
    this.#scratch = 0;
    this.#scratchBytes = 0;
  }

  get kernels(): Kernels {
    return this.#kernels!;
  }

  /** Byte offset of a float32 tensor's values. */
  at(tensor: Tensor): number {
    if (tensor.dtype !== 'float32') throw new Error(`expected float32, got ${tensor.dtype} [${tensor.shape}]`);
    return this.#place(tensor);
  }

  #place(tensor: Tensor): number {
    // data that another backend made comes over when its first operation here asks for it
    if (!this.#backend!.dataIdMap.get(tensor.dataId)) throw new Error('the tensor does not exist (any more)');
    return this.#backend!.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** A tensor of undefined values. @throws when the memory, at most 4 GB, is used up */
  output(shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): Tensor {
    const info = this.#backend!.makeOutput([...shape], dtype);
    const tensor = tf.engine().makeTensorFromTensorInfo(info);
    if (this.#place(tensor) === 0 && tensor.size > 0) {
      throw new Error(
        `no memory for a tensor of [${shape}]: WebAssembly has 4 GB; use a smaller batch or another backend`,
      );
    }
    return tensor;
  }

  zeros(shape: readonly number[]): Tensor {
    const tensor = this.output(shape);
    this.values(tensor).fill(0);
    return tensor;
  }

  /** A view of a float32 tensor's values; valid until the memory grows, that is, until the next output or scratch. */
  values(tensor: Tensor): Float32Array {
    return this.floats(this.at(tensor), tensor.size);
  }

  /** The same of a float32 or int32 tensor's values as words of 32 bits. */
  words(tensor: Tensor): Int32Array {
    const start = this.#place(tensor) >>> 2;
    return this.#backend!.wasm.HEAP32.subarray(start, start + tensor.size);
  }

  floats(pointer: number, count: number): Float32Array {
    return this.#backend!.wasm.HEAPF32.subarray(pointer >>> 2, (pointer >>> 2) + count);
  }

  /** Make a variable ready to be changed in place: sole holder of its values, and new to XNNPACK. */
  own(variable: Variable): void {
    if (this.#backend!.refCount(variable.dataId) > 1) {
      const copy = this.output(variable.shape, variable.dtype as 'float32' | 'int32');
      this.words(copy).set(this.words(variable));
      variable.assign(copy);
      copy.dispose();
      return;
    }
    // XNNPACK keeps packed weights by this number, and would go on with the old ones
    const data = this.#backend!.dataIdMap.get(variable.dataId);
    const { tfjs } = this.#backend!.wasm;
    tfjs.disposeData(data.id);
    data.id = this.#backend!.dataIdNextNumber++;
    tfjs.registerTensor(data.id, variable.size, data.memoryOffset);
  }

  /** Byte offset of working memory of at least this size, 16-byte aligned; valid until the next call. */
  scratch(bytes: number): number {
    if (bytes > this.#scratchBytes) {
      const { wasm } = this.#backend!;
      if (this.#scratch !== 0) wasm._free(this.#scratch);
      this.#scratch = wasm._malloc(bytes + 16) >>> 0;
      this.#scratchBytes = this.#scratch === 0 ? 0 : bytes;
      if (this.#scratch === 0) throw new Error(`no memory for ${bytes} bytes of working space: use a smaller batch`);
    }
    return Math.ceil(this.#scratch / 16) * 16;
  }

  writeIntegers(values: readonly number[], pointer: number): void {
    this.#backend!.wasm.HEAP32.set(values, pointer >>> 2);
  }
}
