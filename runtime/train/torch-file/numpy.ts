/** Arrays of NumPy in a pickle, as weights of detectron2 and Caffe2 are written. */
import { type TorchDtype, type TorchValues, typedValues } from './tensors.ts';
import { PyObject, PyTuple, type PyValue } from './values.ts';

export interface NumpyArray {
  readonly dtype: TorchDtype;
  readonly shape: readonly number[];
  /** in the order of the shape */
  readonly values: TorchValues;
}

const DTYPES: Readonly<Record<string, TorchDtype>> = {
  f4: 'float32',
  f8: 'float64',
  f2: 'float16',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u1: 'uint8',
  b1: 'bool',
};

/** The array that an object stands for; undefined when it is none, or of a dtype or byte order that is not known. */
export function numpyArray(value: PyValue): NumpyArray | undefined {
  if (!(value instanceof PyObject) || value.type !== 'numpy.ndarray' || !(value.state instanceof PyTuple)) {
    return undefined;
  }
  const [, shape, type, columnsFirst, bytes] = value.state.items;
  const dtype = dtypeOf(type);
  if (!dtype || !(shape instanceof PyTuple) || !(bytes instanceof Uint8Array)) return undefined;
  const own = shape.items.map(Number);
  const values = typedValues(bytes, dtype);
  if (values.length !== own.reduce((a, b) => a * b, 1)) return undefined;
  return { dtype, shape: own, values: columnsFirst === true ? rowsFirst(values, own) : values };
}

/** A number of NumPy's own type. */
export function numpyScalar(value: PyValue): { dtype: TorchDtype; value: number | bigint } | undefined {
  if (!(value instanceof PyObject) || !/^numpy\._?core\.multiarray\.scalar$/.test(value.type)) return undefined;
  const [type, bytes] = value.args;
  const dtype = dtypeOf(type);
  return dtype && bytes instanceof Uint8Array ? { dtype, value: typedValues(bytes, dtype)[0] } : undefined;
}

function dtypeOf(type: PyValue): TorchDtype | undefined {
  if (!(type instanceof PyObject) || type.type !== 'numpy.dtype') return undefined;
  const order = type.state instanceof PyTuple ? type.state.items[1] : '|';
  const name = String(type.args[0]);
  return order !== '>' && Object.hasOwn(DTYPES, name) ? DTYPES[name] : undefined;
}

function rowsFirst(values: TorchValues, shape: readonly number[]): TorchValues {
  const result = values.slice();
  const index = shape.map(() => 0);
  const stride = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  for (let i = 0; i < values.length; i++) {
    result[i] = values[index.reduce((at, n, axis) => at + n * stride[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}
