/** The calls in PyTorch's pickles that are known here, each as the data it stands for. */
import { TorchFileError } from './error.ts';
import { TORCH_BYTES, type TorchDtype, TorchStorage, TorchTensor } from './tensors.ts';
import type { Meaning } from './unpickle.ts';
import { PyDict, PyGlobal, PyObject, PySet, PyTuple, type PyValue } from './values.ts';

/** What the file knows of a storage, by key. */
export type FindStorage = (key: string) => { read(): Promise<Uint8Array> };

const STORAGES: Readonly<Record<string, TorchDtype>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  ComplexFloatStorage: 'complex64',
  ComplexDoubleStorage: 'complex128',
};

/** Storages are created once per key, so that tensors that share one do so here too. */
export function torchMeaning(file: string, find: FindStorage): Meaning {
  const storages = new Map<string, TorchStorage>();
  return {
    call: (name, args) => (Object.hasOwn(CALLS, name) ? CALLS[name](args) : undefined),
    persistent(id) {
      const [kind, type, key, , count, view] = id instanceof PyTuple ? id.items : [];
      if (kind !== 'storage' || !(type instanceof PyGlobal) || typeof key !== 'string' || typeof count !== 'number') {
        throw new TorchFileError(`${file} refers to something outside of its pickle that is no storage`);
      }
      if (view) throw new TorchFileError(`${file} has views on storages, which only PyTorch before 0.4 wrote`);
      const known = storages.get(key);
      if (known) return known;
      const dtype = storageType(type);
      const { read } = find(key);
      const storage = new TorchStorage(key, dtype, count * (dtype ? TORCH_BYTES[dtype] : 1), read);
      storages.set(key, storage);
      return storage;
    },
  };
}

/** Undefined for bytes without a type, and for types that are not known here: their tensors stay records. */
function storageType({ name }: PyGlobal): TorchDtype | undefined {
  const [, short = ''] = /^torch\.(?:cuda\.|storage\.)?(\w+)$/.exec(name) ?? [];
  return Object.hasOwn(STORAGES, short) ? STORAGES[short] : undefined;
}

type Call = (args: readonly PyValue[]) => PyValue | undefined;

const sizes = (value: PyValue): number[] => {
  if (value instanceof PyTuple) return value.items.map(Number);
  throw new TorchFileError('a tensor has sizes that are no tuple');
};

/** (storage, offset, sizes, strides, requires_grad, hooks, dtype?) */
const rebuildTensor: Call = ([storage, offset, shape, stride, requiresGrad, , dtype]) => {
  if (!(storage instanceof TorchStorage)) throw new TorchFileError('a tensor has no storage');
  const named = dtype instanceof PyGlobal ? dtype.name.replace('torch.', '') : storage.dtype;
  if (named === undefined || !Object.hasOwn(TORCH_BYTES, named)) return undefined;
  return new TorchTensor({
    dtype: named as TorchDtype,
    shape: sizes(shape),
    stride: sizes(stride),
    offset: Number(offset),
    storage,
    requiresGrad: requiresGrad === true,
    isParameter: false,
  });
};

const rebuildParameter: Call = ([data, requiresGrad]) =>
  data instanceof TorchTensor
    ? new TorchTensor({ ...facts(data), requiresGrad: requiresGrad === true, isParameter: true })
    : undefined;

const facts = ({ dtype, shape, stride, offset, storage, requiresGrad, isParameter }: TorchTensor) => ({
  dtype,
  shape,
  stride,
  offset,
  storage,
  requiresGrad,
  isParameter,
});

const dictOf =
  (ordered: boolean): Call =>
  ([pairs]) => {
    const dict = new PyDict(ordered);
    if (!Array.isArray(pairs)) return dict;
    for (const pair of pairs) if (pair instanceof PyTuple) dict.entries.set(pair.items[0], pair.items[1]);
    return dict;
  };

const setOf: Call = ([items]) =>
  new PySet([...(items instanceof PyTuple ? items.items : Array.isArray(items) ? items : [])]);

const CALLS: Readonly<Record<string, Call>> = {
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': ([storage, offset, shape, stride, requiresGrad]) =>
    rebuildTensor([storage, offset, shape, stride, requiresGrad]),
  'torch._utils._rebuild_tensor_v3': rebuildTensor,
  'torch._utils._rebuild_parameter': rebuildParameter,
  'torch._utils._rebuild_parameter_with_state': rebuildParameter,
  // (function, type, arguments, state) of a subclass: the tensor that it is made from
  'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) =>
    rebuild instanceof PyGlobal && args instanceof PyTuple && rebuild.name.startsWith('torch._utils._rebuild_')
      ? CALLS[rebuild.name]?.(args.items)
      : undefined,
  'torch.Size': ([items]) => (items instanceof PyTuple ? items : new PyTuple(Array.isArray(items) ? items : [])),
  'collections.OrderedDict': dictOf(true),
  'collections.defaultdict': () => new PyDict(),
  'builtins.dict': dictOf(false),
  '__builtin__.dict': dictOf(false),
  'builtins.set': setOf,
  '__builtin__.set': setOf,
  'builtins.frozenset': setOf,
  '__builtin__.frozenset': setOf,
  'builtins.bytearray': ([bytes]) => (bytes instanceof Uint8Array ? bytes : undefined),
  '_codecs.encode': ([text, encoding]) =>
    typeof text === 'string' && encoding === 'latin1' ? Uint8Array.from(Buffer.from(text, 'latin1')) : undefined,
  '__builtin__.bytes': () => new Uint8Array(0),
  'numpy.core.multiarray._reconstruct': ([, shape]) => new PyObject('numpy.ndarray', [shape]),
  'numpy._core.multiarray._reconstruct': ([, shape]) => new PyObject('numpy.ndarray', [shape]),
};
