/** The values on the edges of one running batch, by ref. */
import type { Value, Values } from '../node.ts';
import type { Tensor, TensorBackend } from '../tensor/types.ts';
import type { HostBatch, HostTensor } from './batches.ts';
import type { PlannedInput } from './planned-steps.ts';

export interface EdgeValues {
  /** @throws Error when it is not there */
  get(ref: string): Value;
  peek(ref: string): Value | undefined;
  set(ref: string, value: Value): void;
  /** Dispose of the tensors of these refs, unless another ref holds the same tensor. */
  free(refs: Iterable<string>): void;
  refs(): string[];
}

/** @param once values of rate once, which outlive the batch */
export function createEdgeValues({ tf }: TensorBackend, once: ReadonlyMap<string, Value>): EdgeValues {
  const live = new Map<string, Value>();
  return {
    get(ref) {
      const value = live.get(ref) ?? once.get(ref);
      if (value === undefined) throw new Error(`${ref} has no value here`);
      return value;
    },
    peek: (ref) => live.get(ref) ?? once.get(ref),
    set(ref, value) {
      live.set(ref, value);
    },
    free(refs) {
      const doomed: Tensor[] = [];
      for (const ref of refs) {
        doomed.push(...tensorsOf(live.get(ref)));
        live.delete(ref);
      }
      const held = new Set([...live.values()].flatMap(tensorsOf));
      for (const tensor of new Set(doomed)) {
        if (!held.has(tensor) && !(tensor instanceof tf.Variable) && !tensor.isDisposed) tensor.dispose();
      }
    },
    refs: () => [...live.keys()],
  };
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'dispose' in value;

export function tensorsOf(value: Value): Tensor[] {
  if (isTensor(value)) return [value];
  return Array.isArray(value) ? value.filter(isTensor) : [];
}

/** Tensors anywhere in a value: in lists and plain objects too. */
export function allTensors(value: Value, found = new Set<Tensor>()): Set<Tensor> {
  if (isTensor(value)) found.add(value);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const part of Object.values(value)) allTensors(part, found);
  }
  return found;
}

/** Inputs as a node takes them: a list where the port is one or takes several references. */
export function gather(inputs: readonly PlannedInput[], values: EdgeValues): Values {
  return Object.fromEntries(
    inputs.map(({ port, sources, many, list }) => {
      const each = sources.map(({ node, port: from }) => values.get(`${node}.${from}`));
      const value = many || each.length > 1 ? each : each[0];
      return [port, list && !Array.isArray(value) ? [value] : value];
    }),
  );
}

/** Copy the wanted refs of a batch to the device; uint8 becomes int32, the tensor API has no smaller integer. */
export function upload(
  backend: TensorBackend,
  collator: string,
  batch: HostBatch,
  refs: readonly string[],
  values: EdgeValues,
): void {
  for (const ref of refs) {
    const host = batch.ports[ref.slice(collator.length + 1)];
    if (host === undefined) throw new Error(`the batches of ${collator} have no ${ref.slice(collator.length + 1)}`);
    values.set(ref, Array.isArray(host) ? host.map((one) => copy(backend, one)) : copy(backend, host as HostTensor));
  }
}

/** A copy of its own: some backends keep what they are given, and the workers write that memory again. */
function copy({ tf }: TensorBackend, { data, shape, dtype }: HostTensor): Tensor {
  const values = data instanceof Uint8Array ? Int32Array.from(data) : data.slice();
  return tf.tensor(values, [...shape], dtype === 'float32' ? 'float32' : 'int32');
}
