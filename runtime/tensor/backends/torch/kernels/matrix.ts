/** Matrix products and Einstein sums, in the format of `setPrecision`. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten } from '../aten.ts';
import { h, result, type TensorInfo } from '../data.ts';
import { low } from '../precision.ts';
import type { Attributes, Kernels } from '../register.ts';
import { finish } from './activation.ts';

const mm = aten('mm');
const bmm = aten('matmul');
const transpose = aten('transpose.int');
const squeeze = aten('squeeze.dim');
const unsqueeze = aten('unsqueeze');
const einsum = aten('einsum');

/** [..., m, k] · [..., k, n]; transposition is a view. */
function product(a: TensorInfo, b: TensorInfo, { transposeA = false, transposeB = false }: Attributes): Handle {
  const rank = a.shape.length;
  const inner = [a.shape[transposeA ? rank - 2 : rank - 1], b.shape[b.shape.length - (transposeB ? 1 : 2)]];
  if (inner[0] !== inner[1]) {
    throw new Error(
      `Error in matMul: inner shapes (${inner[0]}) and (${inner[1]}) of Tensors with shapes ${a.shape} and ${b.shape} and ` +
        `transposeA=${transposeA} and transposeB=${transposeB} must match.`,
    );
  }
  let [x, y]: Handle[] = [low(h(a)), low(h(b))];
  const single = rank === 3 && b.shape.length === 3 && a.shape[0] === 1 && b.shape[0] === 1;
  if (single) [x, y] = [squeeze(x, 0), squeeze(y, 0)];
  if (transposeA) x = transpose(x, -2, -1);
  if (transposeB) y = transpose(y, -2, -1);
  return single ? unsqueeze(mm(x, y), 0) : bmm(x, y);
}

const optional = (tensor: TensorInfo | undefined): Handle | null => (tensor ? h(tensor) : null);

export const matrixKernels: Kernels = {
  BatchMatMul: ({ a, b }, attributes) => result(product(a, b, attributes), a.dtype),
  _FusedMatMul: ({ a, b, bias, preluActivationWeights }, attributes) =>
    result(finish(product(a, b, attributes), optional(bias), optional(preluActivationWeights), attributes), a.dtype),
  Einsum: (inputs, { equation }) => {
    const tensors = Object.values(inputs);
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as tf.Tensor[]);
    return result(
      einsum(
        equation,
        tensors.map((tensor) => low(h(tensor))),
      ),
      tensors[0].dtype,
    );
  },
};
