/** PyTorch's classification losses as recorded in fixtures/classification.json, and calls of the nodes on plain numbers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { NodeType } from '../../../runtime/node.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { createInstance, nodeContext } from '../../support/node-context.ts';
import { near, onEachBackend } from '../../tensor/support.ts';

type Params = Readonly<Record<string, unknown>>;

interface Case {
  readonly params: Params;
  readonly shape: number[];
  readonly outputs: readonly number[];
  readonly targetShape: number[];
  readonly target: readonly number[];
  /** the target is of whole numbers */
  readonly whole: boolean;
  /** null: NaN */
  readonly loss: number | null;
  readonly gradient: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL('fixtures/classification.json', import.meta.url), 'utf8')) as {
  cases: Readonly<Record<string, readonly Case[]>>;
};

export const step = { phase: 'train', training: true, iteration: 0, epoch: 0 };

export const open = (backend: TensorBackend, definition: unknown, params: Params = {}) =>
  createInstance(definition as NodeType, nodeContext(backend, definition as NodeType, { params }));

/** Value and gradient, by the tape. Two outputs that are the same tensor count twice. */
export async function lossOf(
  backend: TensorBackend,
  definition: unknown,
  params: Params,
  outputs: Tensor,
  target: Tensor,
  times = 1,
): Promise<{ loss: number; gradient: Float32Array }> {
  const { tf } = backend;
  return backend.scopeAsync(async () => {
    const variable = tf.variable(outputs);
    const tape = backend.openTape();
    try {
      const given = Array.from({ length: times }, () => variable);
      const { loss } = await open(backend, definition, params).run({ outputs: given, target }, step);
      const [gradient] = tape.backward(loss, [variable]);
      assert.deepEqual(loss.shape, []);
      return { loss: (await loss.data())[0], gradient: (await gradient!.data()) as Float32Array };
    } finally {
      tape.close();
      variable.dispose();
    }
  });
}

/** Registers the recorded cases on each backend. */
export function asRecorded(name: string, definition: unknown): void {
  const { type, aliases } = definition as NodeType;
  onEachBackend(type, (get) => {
    it(`is PyTorch's ${name}`, async () => {
      assert.deepEqual(aliases, [name]);
      for (const [i, one] of cases[name].entries()) {
        const backend = get();
        const { tf } = backend;
        const [outputs, target] = [
          tf.tensor([...one.outputs], one.shape, 'float32'),
          tf.tensor([...one.target], one.targetShape, one.whole ? 'int32' : 'float32'),
        ];
        const what = `case ${i} ${JSON.stringify(one.params)}`;
        const before = backend.memory();
        const { loss, gradient } = await lossOf(backend, definition, one.params, outputs, target);
        near([loss], [one.loss ?? Number.NaN], 1e-5, `${what}, loss`);
        near(gradient, one.gradient, 1e-5, `${what}, gradient`);
        assert.deepEqual(backend.memory(), before, `${what} leaves tensors behind`);
        const twice = await lossOf(backend, definition, one.params, outputs, target, 2);
        near([twice.loss], [2 * (one.loss ?? Number.NaN)], 1e-5, `${what}, two outputs`);
        tf.dispose([outputs, target]);
      }
    });
  });
}

/** What the node says to a target that it does not take; outputs are 0.5. */
export async function refuses(
  backend: TensorBackend,
  definition: unknown,
  { params = {}, shape = [2, 3], target }: { params?: Params; shape?: number[]; target: Tensor },
  pattern: RegExp,
): Promise<void> {
  await backend.scopeAsync(() =>
    assert.rejects(
      async () => open(backend, definition, params).run({ outputs: [backend.tf.fill(shape, 0.5)], target }, step),
      pattern,
    ),
  );
  target.dispose();
}
