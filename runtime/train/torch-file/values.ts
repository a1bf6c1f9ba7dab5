/** What a pickle holds, as plain data. Python's int, float, str, None and bool are numbers (bigint beyond 2^53), texts, … */
import type { TorchStorage, TorchTensor } from './tensors.ts';

export type PyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyValue[]
  | PyTuple
  | PyDict
  | PySet
  | PyGlobal
  | PyObject
  | TorchStorage
  | TorchTensor;

export class PyTuple {
  readonly items: readonly PyValue[];
  constructor(items: readonly PyValue[]) {
    this.items = items;
  }
}

export class PyDict {
  readonly entries = new Map<PyValue, PyValue>();
  /** collections.OrderedDict */
  readonly ordered: boolean;
  constructor(ordered = false) {
    this.ordered = ordered;
  }
  get(key: string): PyValue | undefined {
    return this.entries.get(key);
  }
}

export class PySet {
  readonly items: PyValue[];
  constructor(items: PyValue[]) {
    this.items = items;
  }
}

/** A class or function that the file mentions, "torch.float16". It is never looked up. */
export class PyGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** An object of a class that is not known here, or the result of a call that is not: kept as what it is made of. */
export class PyObject {
  readonly type: string;
  readonly args: readonly PyValue[];
  /** of classes made from dict */
  readonly entries = new Map<PyValue, PyValue>();
  /** of classes made from list */
  readonly items: PyValue[] = [];
  /** what its __setstate__ would get */
  state: PyValue = null;
  constructor(type: string, args: readonly PyValue[]) {
    this.type = type;
    this.args = args;
  }
}
