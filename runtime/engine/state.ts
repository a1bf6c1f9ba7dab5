/** State that nodes declare in `create`: kept by the engine, in checkpoints under "<node>.<name>". */
import type { DType } from '../../graph/port.ts';
import type { KeptArray, StateStore } from '../node.ts';
import type { Random } from '../random.ts';
import type { TensorBackend, Variable } from '../tensor/types.ts';
import type { TensorSource } from '../train/safetensors.ts';

/** What a checkpoint gave back; values by full name. */
export interface SavedState {
  readonly tensors: ReadonlyMap<string, SavedTensor>;
  readonly numbers: Readonly<Record<string, number>>;
  /** states of hooks by name */
  readonly hooks?: Readonly<Record<string, unknown>>;
}

export interface SavedTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

export interface EngineState {
  /** the store of one node */
  forNode(node: string, random: Random): StateStore;
  /** Put a node's saved values back, after its `reset` has begun a phase that is gone on with. */
  restore(node: string): void;
  tensors(belongs: (node: string) => boolean): TensorSource[];
  numbers(belongs?: (node: string) => boolean): Record<string, number>;
  dispose(): void;
}

interface Slot {
  readonly node: string;
  readonly variable: Variable;
  readonly dtype: 'float32' | 'int32';
}

/** @param saved values of a checkpoint: they take the place of initial ones */
export function createState(backend: TensorBackend, saved?: SavedState): EngineState {
  const { tf } = backend;
  const slots = new Map<string, Slot>();
  const numbers = new Map<string, { node: string; box: { value: number } }>();
  const arrays = new Map<string, { node: string; kept: KeptArray }>();

  const initial = (
    name: string,
    shape: readonly number[],
    dtype: 'float32' | 'int32',
    random: Random,
    init: Parameters<StateStore['tensor']>[3],
  ): Float32Array | Int32Array => {
    const size = shape.reduce((product, n) => product * n, 1);
    const before = saved?.tensors.get(name);
    if (before) {
      if (String(before.shape) !== String(shape)) {
        throw new Error(`state ${name} has shape [${shape}], but [${before.shape}] in the checkpoint`);
      }
      return before.values;
    }
    const made = init(random);
    const typed = dtype === 'int32' ? made instanceof Int32Array : made instanceof Float32Array;
    if (typed && (made as Float32Array).length === size) return made as Float32Array | Int32Array;
    const values = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
    if (typeof made === 'number') values.fill(made);
    else if (made.length === size) values.set(made);
    else throw new Error(`state ${name} of shape [${shape}] begins with ${made.length} values instead of ${size}`);
    return values;
  };

  return {
    forNode: (node, random) => ({
      tensor(name, shape, wanted, init) {
        const full = `${node}.${name}`;
        if (slots.has(full)) throw new Error(`${node} declares the state ${name} twice`);
        const dtype = storedAs(wanted);
        const values = initial(full, shape, dtype, random.fork('state', name), init);
        const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...shape], dtype), false));
        slots.set(full, { node, variable, dtype });
        return variable;
      },
      number(name, init) {
        const full = `${node}.${name}`;
        if (numbers.has(full)) throw new Error(`${node} declares the state ${name} twice`);
        const box = { value: saved && Object.hasOwn(saved.numbers, full) ? saved.numbers[full] : init };
        numbers.set(full, { node, box });
        return box;
      },
      array(name, kept) {
        const full = `${node}.${name}`;
        if (arrays.has(full) || slots.has(full)) throw new Error(`${node} declares the state ${name} twice`);
        const before = saved?.tensors.get(full);
        if (before) kept.load(before.values);
        arrays.set(full, { node, kept });
      },
    }),
    restore(node) {
      for (const [full, slot] of slots) {
        const before = slot.node === node ? saved?.tensors.get(full) : undefined;
        if (!before) continue;
        tf.tidy(() => slot.variable.assign(tf.tensor(before.values, [...before.shape], slot.dtype)));
      }
      for (const [full, { node: owner, box }] of numbers) {
        if (owner === node && saved && Object.hasOwn(saved.numbers, full)) box.value = saved.numbers[full];
      }
      for (const [full, { node: owner, kept }] of arrays) {
        const before = owner === node ? saved?.tensors.get(full) : undefined;
        if (before) kept.load(before.values);
      }
    },
    tensors: (belongs) => [
      ...[...slots]
        .filter(([, { node }]) => belongs(node))
        .map(([name, { variable, dtype }]) => ({
          name,
          dtype: dtype === 'int32' ? ('I32' as const) : ('F32' as const),
          shape: variable.shape,
          read: async () => (await variable.data()) as Float32Array | Int32Array,
        })),
      ...[...arrays]
        .filter(([, { node }]) => belongs(node))
        .map(([name, { kept }]) => {
          const values = kept.save();
          const dtype = values instanceof Int32Array ? ('I32' as const) : ('F32' as const);
          return { name, dtype, shape: [values.length], read: () => values };
        }),
    ],
    numbers: (belongs = () => true) =>
      Object.fromEntries([...numbers].flatMap(([name, { node, box }]) => (belongs(node) ? [[name, box.value]] : []))),
    dispose() {
      for (const { variable } of slots.values()) variable.dispose();
      slots.clear();
      numbers.clear();
      arrays.clear();
    },
  };
}

const storedAs = (dtype: DType): 'float32' | 'int32' => (dtype === 'float32' ? 'float32' : 'int32');
