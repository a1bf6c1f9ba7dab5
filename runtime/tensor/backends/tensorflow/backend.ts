/** tfjs's storage over TensorFlow's tensors, with what the kernels of tfjs's npm package ask of their backend. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Variable } from '../../types.ts';
import { NativeBackend } from '../native.ts';
import { bool, type DataTypeName, dataType, floats, shape, text, type } from './attributes.ts';
import type { Attribute, Binding, Output, TensorId } from './binding.ts';

interface Stored {
  readonly shape: number[];
  readonly type: number;
  /** not handed to TensorFlow yet: small ones often never are */
  values: tf.BackendValues | null;
  /** −1 while values wait */
  id: TensorId;
  references: number;
  /** TensorFlow's variable of these values, where they are updated in place; it needs no memory of its own */
  variable?: TensorId;
}

const typeNames = new Map<number, tf.DataType>(
  (['float32', 'int32', 'bool', 'complex64', 'string'] as const).map((name) => [dataType[name], name]),
);
typeNames.set(dataType.int64, 'int32'); // indices that TensorFlow alone reads again
const engine = tf.engine() as unknown as { makeTensorFromTensorInfo(info: tf.TensorInfo): Tensor };

export class TensorflowBackend extends NativeBackend {
  readonly binding: Binding;
  private readonly stored: tf.DataStorage<Stored>;
  private variables = 0;

  constructor(binding: Binding) {
    super();
    this.binding = binding;
    this.stored = new tf.DataStorage<Stored>(this, tf.engine() as unknown as tf.DataMover);
  }

  // what the package's kernels and ours run

  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): Tensor[] {
    return this.binding.executeOp(name, attributes, this.ids(inputs), outputs).map((made) => this.tensor(made));
  }

  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly tf.TensorInfo[]): Tensor {
    return this.executeMultipleOutputs(name, attributes, inputs, 1)[0];
  }

  executeSingleInput(name: string, input: tf.TensorInfo): Tensor {
    return this.executeSingleOutput(name, [type('T', input.dtype as DataTypeName)], [input]);
  }

  createReductionOpAttrs({ dtype }: tf.TensorInfo, keepDims = false): Attribute[] {
    return [bool('keep_dims', keepDims), type('T', dtype as DataTypeName), type('Tidx', 'int32')];
  }

  applyActivation(x: Tensor, activation: string | undefined, slopes?: Tensor, alpha?: number): Tensor {
    if (activation === 'prelu') return tf.prelu(x, slopes!);
    if (activation === 'leakyrelu') return tf.leakyRelu(x, alpha);
    const known: Record<string, (x: Tensor) => Tensor> = {
      linear: (same) => same,
      relu: tf.relu,
      relu6: tf.relu6,
      elu: tf.elu,
      sigmoid: tf.sigmoid,
    };
    const apply = known[activation ?? 'linear'];
    if (!apply) throw new Error(`there is no activation '${activation}'`);
    return apply(x);
  }

  getDTypeInteger = (dtype: tf.DataType): number => dataType[dtype];

  /** TensorFlow's tensors; values that wait are handed over first. */
  ids(tensors: readonly tf.TensorInfo[]): TensorId[] {
    return tensors.map(({ dataId }) => {
      const data = this.stored.get(dataId);
      if (data.values) {
        data.id = this.upload(data.values, data);
        data.values = null;
      }
      return data.id;
    });
  }

  /** Take over a result: a tensor of the running scope. */
  tensor({ id, shape, dtype: code }: Output): Tensor {
    const dtype = typeNames.get(code);
    if (!dtype) throw new Error(`tfjs has no tensors of TensorFlow's type ${code}`);
    const dataId = {};
    this.stored.set(dataId, { shape, type: code, values: null, id, references: 1 });
    return engine.makeTensorFromTensorInfo({ dataId, shape, dtype });
  }

  /**
   * Let TensorFlow's operations on variables write into parameters. What else reads the same memory keeps its values:
   * clones by a copy that is made here, views by one that TensorFlow makes.
   * @param update gets the handle of a variable for each parameter
   */
  updateInPlace(parameters: readonly Variable[], update: (variables: TensorId[]) => void): void {
    const { binding } = this;
    const all = parameters.map((parameter) => {
      if (this.refCount(parameter.dataId) > 1) {
        const own = this.executeSingleOutput('Identity', [floats], [parameter]);
        parameter.assign(own);
        own.dispose();
      }
      const [id] = this.ids([parameter]);
      const data = this.stored.get(parameter.dataId);
      data.variable ??= this.createVariable(id, data.shape);
      return data as Stored & { variable: TensorId };
    });
    // while nothing but the variable holds the memory it is written in place
    for (const data of all) {
      binding.deleteTensor(data.id);
      data.id = -1;
    }
    try {
      update(all.map(({ variable }) => variable));
    } finally {
      for (const data of all) {
        data.id = binding.executeOp('ReadVariableOp', [type('dtype', 'float32')], [data.variable], 1)[0].id;
      }
    }
  }

  private createVariable(value: TensorId, size: number[]): TensorId {
    const name = text('shared_name', `parameter-${this.variables++}`);
    const attributes = [text('container', ''), name, type('dtype', 'float32'), shape('shape', size)];
    const [{ id }] = this.binding.executeOp('VarHandleOp', attributes, [], 1);
    this.binding.executeOp('AssignVariableOp', [type('dtype', 'float32')], [id, value], 0);
    return id;
  }

  private upload(values: tf.BackendValues, { shape, type: code }: Stored): TensorId {
    const { binding } = this;
    if (code !== dataType.complex64) return binding.createTensor(shape, code, values as Float32Array | Uint8Array[]);
    const pairs = values as Float32Array;
    const parts = [0, 1].map((part) =>
      binding.createTensor(
        shape,
        dataType.float32,
        pairs.filter((_, i) => i % 2 === part),
      ),
    );
    const [{ id }] = binding.executeOp('Complex', [type('T', 'float32'), type('Tout', 'complex64')], parts, 1);
    for (const part of parts) binding.deleteTensor(part);
    return id;
  }

  // tfjs's own contract

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    this.stored.set(dataId, { shape, type: dataType[dtype], values, id: -1, references });
  }

  override readSync(dataId: object): tf.BackendValues {
    const { values, id } = this.stored.get(dataId);
    return values ?? this.binding.tensorDataSync(id);
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override incRef(dataId: object): void {
    this.stored.get(dataId).references++;
  }

  override refCount(dataId: object): number {
    return this.stored.has(dataId) ? this.stored.get(dataId).references : 0;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.stored.has(dataId)) return true;
    const data = this.stored.get(dataId);
    data.references--;
    if (data.references > 0 && !force) return false;
    if (data.variable !== undefined) {
      this.binding.executeOp('DestroyResourceOp', [bool('ignore_lookup_error', true)], [data.variable], 0);
      this.binding.deleteTensor(data.variable);
    }
    if (data.id >= 0) this.binding.deleteTensor(data.id);
    this.stored.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.stored.numDataIds();
  }

  override dispose(): void {}
}
