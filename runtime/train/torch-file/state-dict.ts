/** Tensors of a PyTorch file by name, wherever they are in it. */
import { TorchFileError } from './error.ts';
import { numpyArray } from './numpy.ts';
import { TorchTensor, type TorchValues } from './tensors.ts';
import { PyDict, PyObject, type PyValue } from './values.ts';

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  values(): Promise<TorchValues>;
}

/** Dicts that hold the model in files of VISSL, PyTorch examples, lightly, mmcv, Caffe2 conversions; the first found. */
const ROOTS: readonly (readonly string[])[] = [
  ['classy_state_dict', 'base_model', 'model'],
  ['model_state_dict'],
  ['state_dict'],
  ['model_state'],
  ['network'],
  ['model'],
  ['blobs'],
];

/**
 * Tensors below the dict that holds the model, else of the whole file; nested names are joined by dots.
 * @throws TorchFileError when there is none
 */
export function stateDict(value: PyValue, path: string): NamedTensor[] {
  for (const root of ROOTS) {
    let inner: PyValue | undefined = value;
    for (const key of root) inner = entriesOf(inner)?.get(key);
    const found = inner === undefined ? [] : tensors(inner);
    if (found.length > 0) return found;
  }
  const all = tensors(value);
  if (all.length === 0) throw new TorchFileError(`${path} holds no tensors`);
  return all;
}

const entriesOf = (value: PyValue | undefined): ReadonlyMap<PyValue, PyValue> | undefined =>
  value instanceof PyDict || value instanceof PyObject ? value.entries : undefined;

/** Items, entries; of a whole torch.nn.Module its parameters, buffers and modules. */
function partsOf(value: PyValue): readonly Iterable<[PyValue, PyValue]>[] {
  if (Array.isArray(value)) return [value.entries()];
  const own = entriesOf(value);
  const state = value instanceof PyObject && value.state instanceof PyDict ? value.state : undefined;
  const parts = ['_parameters', '_buffers', '_modules'].map((key) => entriesOf(state?.get(key)));
  return [own, ...parts].filter((entries) => entries !== undefined);
}

function tensors(value: PyValue): NamedTensor[] {
  const found: NamedTensor[] = [];
  const within = new Set<PyValue>();
  const visit = (part: PyValue, name: string): void => {
    if (part instanceof TorchTensor) {
      found.push({ name, shape: part.shape, values: () => part.values() });
      return;
    }
    const array = numpyArray(part);
    if (array) {
      found.push({ name, shape: array.shape, values: async () => array.values });
      return;
    }
    if (within.has(part)) return;
    within.add(part); // a pickle may hold itself
    for (const entries of partsOf(part)) {
      for (const [key, inner] of entries) {
        if (typeof key === 'string' || typeof key === 'number') visit(inner, name ? `${name}.${key}` : String(key));
      }
    }
    within.delete(part);
  };
  visit(value, '');
  return found;
}
