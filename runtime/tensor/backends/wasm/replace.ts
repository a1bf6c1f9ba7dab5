/** Kernels of tfjs's wasm package that are replaced: slow, wasteful, or wrong. */
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes } from '../../gradients/register.ts';
import { scope } from '../../scope.ts';
import type { Tensor } from '../../types.ts';
import type { Heap } from './heap.ts';

export function replaceKernels(heap: Heap): void {
  transposeBeforeMatMul();
  shareInsteadOfCopy();
  // XNNPACK's turns NaN into a bound
  override('ClipByValue', (stock) => (call) => {
    const x = call.inputs.x as Tensor;
    if (x.dtype !== 'float32') return stock(call);
    const { clipValueMin, clipValueMax } = call.attrs as Attributes;
    const y = heap.output(x.shape);
    heap.kernels.clip(heap.at(x), x.size, clipValueMin, clipValueMax, heap.at(y));
    return y;
  });
}

/** tfjs's wasm product is XNNPACK's only where nothing is transposed, else a plain loop 20 times slower. */
function transposeBeforeMatMul(): void {
  override('BatchMatMul', (stock) => (call) => {
    const { transposeA, transposeB } = call.attrs as Attributes;
    const { a, b } = call.inputs as Record<string, Tensor>;
    if (a.dtype === 'int32' && b.dtype === 'int32') {
      return scope(() => {
        const [x, y] = [tf.cast(a, 'float32'), tf.cast(b, 'float32')];
        return tf.cast(tf.matMul(x, y, transposeA, transposeB), 'int32');
      });
    }
    if (!transposeA && !transposeB) return stock(call);
    return scope(() => {
      const swap = (t: Tensor): Tensor => {
        const axes = t.shape.map((_, i) => i);
        return tf.transpose(t, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
      };
      return tf.matMul(transposeA ? swap(a) : a, transposeB ? swap(b) : b);
    });
  });
}

/** tfjs's wasm package copies the values of a clone, and so everything the tape saves; they can be shared. */
function shareInsteadOfCopy(): void {
  const share = ({ inputs, backend }: Parameters<tf.KernelFunc>[0]) => {
    const { dataId, shape, dtype } = inputs.x!;
    (backend as tf.KernelBackend).incRef(dataId);
    return { dataId, shape, dtype };
  };
  override('Identity', () => share);
  override('Cast', (stock) => (call) => (call.attrs?.dtype === call.inputs.x!.dtype ? share(call) : stock(call)));
}

/** Replace a kernel's function; what else its registration does (binding to the compiled code) stays. */
function override(kernelName: string, make: (stock: tf.KernelFunc) => tf.KernelFunc): void {
  const stock = tf.getKernel(kernelName, 'wasm');
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ ...stock, kernelFunc: make(stock.kernelFunc) });
}
