import { join } from 'node:path';
import { numpyArray, numpyScalar } from '../../../runtime/train/torch-file/numpy.ts';
import { openTorchFile } from '../../../runtime/train/torch-file/open.ts';
import { type TorchStorage, TorchTensor, type TorchValues } from '../../../runtime/train/torch-file/tensors.ts';
import { PyDict, PyGlobal, PyObject, PySet, PyTuple, type PyValue } from '../../../runtime/train/torch-file/values.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, same } from '../compare.ts';
import type { OracleCase } from '../oracle-file.ts';

/** Storages of the file by the ids of the case: one for one. */
type Shared = Map<number, TorchStorage>;

async function compare(got: PyValue, want: any, at: string, shared: Shared): Promise<void> {
  if (want === null || typeof want !== 'object') return same(got, want, at);
  const check = KINDS[want.$];
  if (!check) throw new Error(`${at}: the case has a ${want.$}`);
  await check(got, want, at, shared);
}

type Check = (got: any, want: any, at: string, shared: Shared) => Promise<void> | void;

const items =
  (pick: (got: any) => readonly PyValue[] | false): Check =>
  async (got, want, at, shared) => {
    const values = pick(got);
    if (!values) throw new Error(`${at} is no ${want.$}`);
    same(values.length, want.items.length, `length of ${at}`);
    for (const [i, item] of want.items.entries()) await compare(values[i], item, `${at}[${i}]`, shared);
  };

const entries =
  (pick: (got: any) => Map<PyValue, PyValue> | false): Check =>
  async (got, want, at, shared) => {
    const pairs = pick(got);
    if (!pairs) throw new Error(`${at} is no ${want.$}`);
    const own = [...pairs];
    same(own.length, want.items.length, `entries of ${at}`);
    for (const [i, [key, value]] of want.items.entries()) {
      await compare(own[i][0], key, `key ${i} of ${at}`, shared);
      await compare(own[i][1], value, `${at}.${typeof key === 'object' ? i : key}`, shared);
    }
  };

const isDict = (ordered: boolean) => (got: any) => got instanceof PyDict && got.ordered === ordered && got.entries;

/** int64 elements beyond 2^53 are texts in the case, and bigints here. */
function compareValues(values: TorchValues, data: readonly (number | string)[], at: string): void {
  if (values instanceof BigInt64Array) same([...values], data.map(BigInt), at);
  else if (values instanceof Float32Array) near(values, Float32Array.from(data, Number), 0, at);
  else near(values, data, 0, at);
}

const tensor: Check = async (got, want, at, shared) => {
  if (!(got instanceof TorchTensor)) throw new Error(`${at} is no tensor`);
  const { dtype, shape, stride, offset, requiresGrad, isParameter, storage } = got;
  same([dtype, [...shape], [...stride], offset], [want.dtype, want.shape, want.stride, want.storage_offset], at);
  same([requiresGrad, isParameter], [want.requires_grad, want.is_parameter], `kind of ${at}`);
  const known = shared.get(want.storage_id);
  if (known) same(storage === known, true, `storage of ${at}`);
  else same([...shared.values()].includes(storage), false, `storage of ${at}`);
  shared.set(want.storage_id, storage);
  compareValues(await got.values(), want.data, at);
};

const KINDS: Readonly<Record<string, Check>> = {
  dict: entries(isDict(false)),
  ordereddict: entries(isDict(true)),
  object: async (got, want, at, shared) => {
    same(got instanceof PyObject && got.type, want.class, `class of ${at}`);
    await entries((object: PyObject) => object.entries)(got, want, at, shared);
  },
  list: items((got) => Array.isArray(got) && got),
  tuple: items((got) => got instanceof PyTuple && got.items),
  set: items((got) => got instanceof PySet && got.items),
  float: (got, want, at) => near([got], [want.value], 0, at),
  int: (got, want, at) => same(String(got), String(want.value), at),
  bytes: (got, want, at) => same(Buffer.from(got).toString('hex'), want.hex, at),
  'torch.dtype': (got, want, at) => same(got instanceof PyGlobal && got.name, want.name, at),
  tensor,
  ndarray: (got, want, at) => {
    const array = numpyArray(got);
    same([array?.dtype, [...(array?.shape ?? [])]], [want.dtype, want.shape], at);
    compareValues(array!.values, want.data, at);
  },
  numpy_scalar: (got, want, at) => {
    const scalar = numpyScalar(got);
    same([scalar?.dtype, Number(scalar?.value)], [want.dtype, want.value], at);
  },
};

async function check({ params, outputs }: OracleCase, { file }: CheckContext): Promise<void> {
  const opened = await openTorchFile(join(file.folder, params.file));
  try {
    await compare(opened.value, outputs.content, params.file, new Map());
  } finally {
    await opened.close();
  }
}

export default [{ pattern: /^checkpoints\/torch_files\.json$/, check }] satisfies readonly Checker[];
