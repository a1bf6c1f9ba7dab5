import assert from 'node:assert/strict';
import { formatMissing, missingKernels } from '../../runtime/engine/kernels.ts';
import { createPlan } from '../../runtime/engine/plan.ts';
import { batch, defineNode, type NodeType, T } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../runtime/tensor/types.ts';
import { classifier, openGraph, runDocument, withFolder } from './fixtures/graph.ts';

const planOf = async (document: object, extra: NodeType[] = []) => createPlan((await openGraph(document, extra)).graph);

const special: NodeType = defineNode({
  type: 'test/special',
  description: 'needs a kernel of its own',
  role: 'compute',
  kernels: ['Bessel'],
  params: T.Object({}),
  inputs: { x: batch.tensor('float32', ['N', 'D']) },
  outputs: { x: batch.tensor('float32', ['N', 'D']) },
  create:
    () =>
    ({ x }) => ({ x }),
});

describe('kernels of a plan', () => {
  it('are all there for the backends that ship', async () => {
    const plan = await planOf(classifier());
    for (const name of ['cpu', 'wasm']) {
      const backend = await openBackend(name);
      const before = backend.memory();
      assert.deepEqual(await missingKernels(plan, backend), [], name);
      assert.deepEqual(backend.memory(), before, name);
    }
  });

  it('that a layer needs in its gradient are found missing by trying', async () => {
    const backend = await openBackend('cpu');
    const { tf } = backend;
    const kernel = tf.getKernel('Relu', 'cpu')!;
    tf.unregisterKernel('Relu', 'cpu');
    try {
      assert.deepEqual(await missingKernels(await planOf(classifier()), backend), [{ node: 'trunk', kernel: 'Relu' }]);
      await withFolder((out) =>
        assert.rejects(runDocument(classifier(), out), {
          name: 'KernelError',
          message: /^trunk needs Relu, which the backend cpu does not have\. Run with device=.*wasm/,
        }),
      );
    } finally {
      tf.registerKernel(kernel);
      backend.activate();
    }
  });

  it('that a node names are looked up', async () => {
    const document = classifier({ nodes: { noise: { type: 'test/special', inputs: { x: 'trunk.features' } } } });
    const missing = await missingKernels(await planOf(document, [special]), await openBackend('cpu'));
    assert.deepEqual(missing, [{ node: 'noise', kernel: 'Bessel' }]);
    const others = new Map([
      ['a', new Set(['Bessel'])],
      ['b', new Set(['Relu'])],
    ]);
    assert.equal(
      formatMissing(missing, 'cpu', others),
      'noise needs Bessel, which the backend cpu does not have. Run with device=a.',
    );
    assert.match(formatMissing(missing, 'cpu', new Map()), /No backend that works here has it/);
  });

  it('that losses and optimizers are made of are asked for', async () => {
    const backend = await openBackend('cpu');
    const without: TensorBackend = {
      ...backend,
      kernels: () => new Set([...backend.kernels()].filter((k) => k !== 'Exp')),
    };
    const missing = await missingKernels(await planOf(classifier()), without);
    assert.deepEqual(
      missing.map(({ node, kernel }) => `${node} ${kernel}`),
      ['noise Exp', 'loss Exp', 'sgd Exp'],
    );
  });
});
