import type * as tf from '@tensorflow/tfjs-core';
import { NativeBackend } from '../native.ts';
import { addon, kernelScope } from './aten.ts';
import { adopt, dataCount, find, read, register, type TorchData, unregister, write } from './data.ts';

/** tfjs's storage contract over libtorch tensors. */
export class TorchBackend extends NativeBackend {
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): TorchData {
    return kernelScope(() => register(write(values, shape, dtype)));
  }

  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    const data = kernelScope(() => write(values, shape, dtype));
    data.references = references;
    adopt(dataId, data);
    register(data);
  }

  override readSync(dataId: object): tf.BackendValues {
    const data = find(dataId);
    if (!data) throw new Error('this tensor was disposed of');
    return kernelScope(() => read(data));
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override incRef(dataId: object): void {
    const data = find(dataId);
    if (data) data.references++;
  }

  override refCount(dataId: object): number {
    return find(dataId)?.references ?? 0;
  }

  override disposeData(dataId: object, force = false): boolean {
    const data = find(dataId);
    if (!data) return true;
    data.references--;
    if (data.references > 0 && !force) return false;
    data.clear();
    unregister();
    return true;
  }

  override numDataIds(): number {
    return dataCount();
  }

  override dispose(): void {
    addon.trim();
  }
}
