import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openBackend } from '../../runtime/tensor/backend.ts';
import binary from '../../runtime/tensor/backends/wasm/binary.ts';
import { forwardRegions, inputGradRegions } from '../../runtime/tensor/backends/wasm/regions.ts';
import { convGeometry } from '../../runtime/tensor/geometry.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
// @ts-expect-error: a build script, without types
import { compileTensorKernels } from '../../scripts/build-tensor-kernels.js';
import { convolutions } from './convolutions.ts';
import { near, size, tapeGradients, values } from './support.ts';

describe('wasm kernels', () => {
  let wasm: TensorBackend;
  let cpu: TensorBackend;
  before(async () => {
    cpu = await openBackend('cpu');
    wasm = await openBackend('wasm');
  });

  it('binary.ts is what the sources compile to, and brings no data into the shared memory', async () => {
    const bytes: Uint8Array = await compileTensorKernels();
    assert.equal(Buffer.from(bytes).toString('base64'), binary, 'run node scripts/build-tensor-kernels.js');
    const sections = [...sectionIds(bytes)];
    assert.ok(sections.includes(10), 'code');
    assert.ok(!sections.includes(11), 'a data section would overwrite memory of tfjs');
  });

  it('convolve any geometry as the reference does, with both gradients', () => {
    fc.assert(
      fc.property(convolutions, ({ x, filter, options }) => {
        const results = [wasm, cpu].map((backend) => {
          backend.activate();
          return backend.scope(() =>
            tapeGradients(backend, [values(backend, 0, x), values(backend, 1, filter)], (input, weights) =>
              backend.ops.conv2d(input, weights, null, options),
            ),
          );
        });
        const [own, reference] = results;
        near(own.output, reference.output, 2e-5, 'output');
        near(own.gradients[0], reference.gradients[0], 2e-5, 'gradient of the input');
        near(own.gradients[1], reference.gradients[1], 5e-5, 'gradient of the filter');
      }),
      { numRuns: 60 },
    );
  });

  it('regions cover every place once, and meet only places inside the other side', () => {
    fc.assert(
      fc.property(convolutions, ({ x, filter, options }) => {
        const g = convGeometry(x, filter, options);
        for (const [made, target, source] of [
          [forwardRegions(g), g.output, g.input],
          [inputGradRegions(g), g.input, g.output],
        ] as const) {
          const met = new Uint8Array(size(target));
          for (const { fields, runs } of made) {
            const [images, height, width, from, fromImage, fromRow, fromColumn, to, toImage, toRow, toColumn] = fields;
            for (let n = 0; n < images; n++) {
              for (let i = 0; i < height; i++) {
                for (let j = 0; j < width; j++) {
                  met[(to + n * toImage + i * toRow + j * toColumn) / 4]++;
                  const image = n * (fromImage / 4);
                  for (let r = 0; r < runs.length; r += 3) {
                    const at = (from + n * fromImage + i * fromRow + j * fromColumn + runs[r]) / 4;
                    assert.ok(at >= image && at + runs[r + 2] <= image + fromImage / 4 && image < size(source));
                  }
                }
              }
            }
          }
          // one mark per place, at its first channel
          assert.ok(met.every((count, i) => count === (i % target[3] === 0 ? 1 : 0)));
        }
      }),
    );
  });

  it('sum precisely over many rows', () => {
    wasm.activate();
    const { tf, ops } = wasm;
    wasm.scope(() => {
      const rows = 400_000;
      const x = tf.add(tf.mul(tf.reshape(values(wasm, 0, [rows * 3]), [rows, 3]), 0.01), 100);
      const state = { runningMean: tf.variable(tf.zeros([3])), runningVar: tf.variable(tf.ones([3])) };
      ops.batchNorm(x, null, null, state, { training: true, momentum: 1 });
      const data = x.dataSync() as Float32Array;
      const exact = [0, 1, 2].map((c) => {
        let mean = 0;
        for (let i = c; i < data.length; i += 3) mean += data[i] / rows;
        let variance = 0;
        for (let i = c; i < data.length; i += 3) variance += (data[i] - mean) ** 2 / (rows - 1);
        return { mean, variance };
      });
      near(
        state.runningMean.dataSync(),
        exact.map((e) => e.mean),
        1e-6,
        'mean',
      );
      const variances = state.runningVar.dataSync();
      exact.forEach(({ variance }, c) => {
        assert.ok(Math.abs(variances[c] / variance - 1) < 1e-3, `variance ${variances[c]} of ${variance}`);
      });
      tf.dispose([state.runningMean, state.runningVar]);
    });
  });

  it('go on when the memory grows in the middle of a step', () => {
    wasm.activate();
    const { tf, ops } = wasm;
    wasm.scope(() => {
      const held: Tensor[] = [];
      const w = values(wasm, 1, [3, 3, 8, 8]);
      const want = ops.conv2d(values(wasm, 0, [2, 8, 8, 8]), w, null, { padding: [1, 1] }).dataSync();
      for (let i = 0; i < 6; i++) {
        held.push(tf.zeros([8, 1024, 1024]));
        const y = ops.conv2d(values(wasm, 0, [2, 8, 8, 8]), w, null, { padding: [1, 1] });
        assert.deepEqual(y.dataSync(), want);
      }
    });
  });

  it('take tensors that were made on another backend', () => {
    cpu.activate();
    const x = values(cpu, 0, [1, 4, 4, 2]);
    const w = values(cpu, 1, [3, 3, 2, 2]);
    const want = cpu.ops.conv2d(x, w, null);
    near(want.dataSync(), want.dataSync(), 0, 'cpu');
    wasm.activate();
    const y = wasm.ops.conv2d(x, w, null);
    near(y.dataSync(), want.dataSync(), 1e-6, 'moved');
    wasm.tf.dispose([x, w, want, y]);
  });
});

function* sectionIds(bytes: Uint8Array): Generator<number> {
  for (let at = 8; at < bytes.length; ) {
    yield bytes[at++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
  }
}
