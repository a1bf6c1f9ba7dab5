import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../differentiable.ts';
import { adaptiveBins, type PoolGeometry, poolGeometry } from '../geometry.ts';
import type { FusedKernels } from '../kernels.ts';
import type { FusedOps, Pair, PoolOptions, Tensor } from '../types.ts';

type PoolOps = Pick<FusedOps, 'maxPool' | 'avgPool' | 'adaptiveAvgPool' | 'adaptiveMaxPool'>;

export function poolOps(kernels: FusedKernels): PoolOps {
  const maxPool = (x: Tensor, options: PoolOptions): Tensor => {
    const g = poolGeometry(x.shape, options);
    return differentiable(
      { x },
      () => {
        const { y, saved } = kernels.maxPool(x, g);
        return { output: y, save: saved };
      },
      (dy, saved) => ({ x: () => kernels.maxPoolGrad(dy, saved, g) }),
    );
  };

  const avgPool = (x: Tensor, options: PoolOptions): Tensor => {
    const g = poolGeometry(x.shape, options);
    const share = (t: Tensor): Tensor => divide(t, g, options.countIncludePad ?? true);
    return differentiable(
      { x },
      () => ({ output: share(kernels.sumPool(x, g)), save: [] }),
      (dy) => ({ x: () => kernels.sumPoolGrad(share(dy), g) }),
    );
  };

  /** All bins of one size: plain pooling. */
  const even = (x: Tensor, size: Pair): PoolOptions | null => {
    const [, h, w] = x.shape as number[];
    if (h % size[0] !== 0 || w % size[1] !== 0) return null;
    return { kernel: [h / size[0], w / size[1]] };
  };

  return {
    maxPool,
    avgPool,

    adaptiveAvgPool(x, size) {
      const [n, h, w, c] = x.shape;
      if (size[0] === 1 && size[1] === 1) return tf.mean(x, [1, 2], true);
      const options = even(x, size);
      if (options) return avgPool(x, options);
      // the mean over bins is a product with a matrix of shares, rows and columns apart
      const rows = tf.reshape(tf.matMul(shares(h, size[0]), tf.reshape(x, [n, h, w * c])), [n, size[0], w, c]);
      const columns = tf.matMul(shares(w, size[1]), tf.reshape(rows, [n * size[0], w, c]));
      return tf.reshape(columns, [n, size[0], size[1], c]);
    },

    adaptiveMaxPool(x, size) {
      const [n, h, w, c] = x.shape;
      const options = even(x, size);
      if (options) return maxPool(x, options);
      const rows = adaptiveBins(h, size[0]).map(([top, bottom]) => {
        const bins = adaptiveBins(w, size[1]).map(([left, right]) => {
          const bin = tf.slice(x, [0, top, left, 0], [n, bottom - top, right - left, c]);
          return maxPool(bin, { kernel: [bottom - top, right - left] });
        });
        return tf.concat(bins, 2);
      });
      return tf.concat(rows, 1);
    },
  };
}

/** Window sums → means: by the window's size, clipped to the input or (PyTorch's count_include_pad) to the padded input. */
function divide(sums: Tensor, g: PoolGeometry, includePad: boolean): Tensor {
  const counts = [0, 1].map((axis) => {
    const pad = g.padding[axis];
    const end = g.input[axis + 1] + (includePad ? pad : 0);
    return Array.from({ length: g.output[axis + 1] }, (_, i) => {
      const start = i * g.stride[axis] - pad;
      return Math.min(start + g.kernel[axis], end) - (includePad ? start : Math.max(start, 0));
    });
  });
  const [rows, columns] = counts;
  if ([...rows, ...columns].every((count, i) => count === g.kernel[i < rows.length ? 0 : 1])) {
    return tf.mul(sums, 1 / (g.kernel[0] * g.kernel[1]));
  }
  const shares = rows.flatMap((r) => columns.map((column) => 1 / (r * column)));
  return tf.mul(sums, tf.tensor(shares, [1, rows.length, columns.length, 1], 'float32'));
}

/** [1, bins, length]: each row holds 1 / (bin's length) over its bin. */
function shares(length: number, count: number): tf.Tensor3D {
  const values = new Float32Array(count * length);
  adaptiveBins(length, count).forEach(([start, end], i) => {
    values.fill(1 / (end - start), i * length + start, i * length + end);
  });
  return tf.tensor3d(values, [1, count, length]);
}
