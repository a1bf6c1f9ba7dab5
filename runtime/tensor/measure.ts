/** How fast a backend is, by two small probes: enough to tell one that runs natively from one that does not. */
import type { Tensor, TensorBackend, Variable } from './types.ts';

export interface Speed {
  /** of a product of two 512×512 matrices, in GFLOP/s */
  readonly matrixProduct: number;
  /** forward and backward through 3×3 convolution, batch norm, ReLU and mean, 16 channels to 32 at 32×32: images/s */
  readonly convolutionStep: number;
}

const SIDE = 512;
const BATCH = 4;
/** each probe, after a first run that warms up */
const MILLISECONDS = 400;

export function measureSpeed(backend: TensorBackend): Speed {
  const { tf, ops } = backend;
  return backend.scope(() => {
    const a = tf.randomUniform([SIDE, SIDE], -1, 1, 'float32', 1);
    const b = tf.randomUniform([SIDE, SIDE], -1, 1, 'float32', 2);
    const product = best(() => backend.scope(() => void tf.slice(tf.matMul(a, b), [0, 0], [1, 1]).dataSync()));

    const images = tf.randomUniform([BATCH, 32, 32, 16], -1, 1, 'float32', 3);
    const parameters = [tf.randomUniform([3, 3, 16, 32], -1, 1, 'float32', 4), tf.ones([32]), tf.zeros([32])];
    const [filter, scale, offset] = parameters.map((value) => tf.variable(value as Tensor)) as Variable[];
    const state = { runningMean: tf.variable(tf.zeros([32]), false), runningVar: tf.variable(tf.ones([32]), false) };
    const step = best(() =>
      backend.scope(() => {
        const tape = backend.openTape();
        try {
          const y = ops.conv2d(images, filter, null, { padding: [1, 1] });
          const loss = tf.mean(ops.batchNorm(y, scale, offset, state, { training: true, relu: true }));
          for (const gradient of tape.backward(loss, [filter, scale, offset])) gradient!.dataSync();
        } finally {
          tape.close();
        }
      }),
    );
    tf.dispose([filter, scale, offset, state.runningMean, state.runningVar]);
    return { matrixProduct: (2 * SIDE ** 3) / product / 1e6, convolutionStep: (BATCH * 1000) / step };
  });
}

/** The shortest of several runs, in ms. */
export function best(run: () => void): number {
  run();
  let shortest = Number.POSITIVE_INFINITY;
  const end = performance.now() + MILLISECONDS;
  do {
    const start = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - start);
  } while (performance.now() < end);
  return shortest;
}
