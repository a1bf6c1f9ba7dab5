import { readFileSync } from 'node:fs';
import { fromTorch, toTorch } from '../../runtime/tensor/model/layout.ts';
import type { BatchNormState, Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { formula, leakFree, near, onEachBackend, size, tapeGradients } from './support.ts';

interface Case {
  op: string;
  options: Record<string, any>;
  shapes: Record<string, number[]>;
  out: { shape: number[]; data: number[] };
  grads: Record<string, number[]>;
  mean?: number[];
  variance?: number[];
}

const { cases } = JSON.parse(readFileSync(new URL('./fixtures/pytorch.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

/** Maps are NCHW there and NHWC here; filters and linear weights differ too. */
function ours(name: string, shape: readonly number[], data: Float32Array): { shape: number[]; data: Float32Array } {
  if (name === 'filter') {
    const hwio = [shape[2], shape[3], shape[1], shape[0]];
    return { shape: hwio, data: fromTorch(data, hwio) };
  }
  if (name === 'weight') return { shape: [shape[1], shape[0]], data: fromTorch(data, [shape[1], shape[0]]) };
  if (shape.length !== 4) return { shape: [...shape], data };
  const [n, c, h, w] = shape;
  const moved = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [x, y, channel] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h)) % c];
    moved[((Math.floor(i / (w * h * c)) * h + y) * w + x) * c + channel] = data[i];
  }
  return { shape: [n, h, w, c], data: moved };
}

function theirs(name: string, shape: readonly number[], data: Float32Array): Float32Array {
  if (name === 'filter') return toTorch(data, [shape[2], shape[3], shape[1], shape[0]]);
  if (name === 'weight') return toTorch(data, [shape[1], shape[0]]);
  if (shape.length !== 4) return data;
  const [, c, h, w] = shape;
  return Float32Array.from({ length: data.length }, (_, i) => {
    const [x, y, channel] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h)) % c];
    return data[((Math.floor(i / (w * h * c)) * h + y) * w + x) * c + channel];
  });
}

/** The operation of a case on tensors in our layout. */
function run(
  { ops, tf }: TensorBackend,
  { op, options }: Case,
  state: BatchNormState | undefined,
  [a, b, c]: readonly Tensor[],
): Tensor {
  const crossEntropy = (labels: Tensor) => {
    const weight = options.weighted ? tf.add(tf.tensor1d(formula(60, 6)), 1.5) : undefined;
    return ops.crossEntropy(tf.mul(a, 3), labels, { labelSmoothing: options.labelSmoothing, weight });
  };
  switch (op) {
    case 'conv2d':
      return ops.conv2d(a, b, c, options);
    case 'batchNorm':
      return ops.batchNorm(a, b, c, state!, options as { training: boolean });
    case 'layerNorm2d':
      return ops.layerNorm2d(a, b, c);
    case 'linear':
      return ops.linear(a, b, c);
    case 'addRelu':
      return ops.addRelu(a, b);
    case 'l2Normalize':
      return ops.l2Normalize(a);
    case 'logSoftmax':
      return ops.logSoftmax(a);
    case 'maxPool':
      return ops.maxPool(a, options as { kernel: [number, number] });
    case 'avgPool':
      return ops.avgPool(a, options as { kernel: [number, number] });
    case 'adaptiveAvgPool':
      return ops.adaptiveAvgPool(a, options.size);
    case 'adaptiveMaxPool':
      return ops.adaptiveMaxPool(a, options.size);
    case 'crossEntropy':
      return crossEntropy(tf.tensor1d(options.labels, 'int32'));
    case 'crossEntropySoft':
      return crossEntropy(tf.abs(b));
    default:
      throw new Error(`no such case: ${op}`);
  }
}

onEachBackend('fused operations give PyTorch’s values and gradients:', (get) => {
  for (const one of cases) {
    const shapes = Object.entries(one.shapes).map(([name, shape]) => `${name} ${shape.join('x')}`);
    it(`${one.op} ${shapes.join(', ')} ${JSON.stringify(one.options)}`, async () => {
      const backend = get();
      const { tf } = backend;
      const names = Object.keys(one.shapes);
      const input = (name: string, k: number, shape: readonly number[]) => {
        const { shape: placed, data } = ours(name, shape, formula(k, size(shape)));
        return tf.tensor(data, placed, 'float32');
      };
      await leakFree(backend, () => {
        const c = one.mean?.length ?? 0;
        const variable = (data: Float32Array) => backend.scope(() => tf.variable(tf.tensor1d(data), false));
        const state = one.mean && {
          runningMean: variable(formula(50, c)),
          runningVar: variable(formula(51, c).map((v) => Math.abs(v) + 0.5)),
        };
        const tensors = names.map((name, k) => input(name, k, one.shapes[name]));
        const { output, gradients } = tapeGradients(
          backend,
          tensors,
          (...variables) => run(backend, one, state, variables),
          () => input('out', 100, one.out.shape),
        );
        near(theirs('out', one.out.shape, output), one.out.data, 2e-5, 'output');
        names.forEach((name, i) => {
          near(theirs(name, one.shapes[name], gradients[i]), one.grads[name], 1e-4, `gradient of ${name}`);
        });
        if (state) {
          near(state.runningMean.dataSync(), one.mean!, 1e-5, 'running mean');
          near(state.runningVar.dataSync(), one.variance!, 1e-5, 'running variance');
          tf.dispose([state.runningMean, state.runningVar]);
        }
        tf.dispose(tensors);
      });
    });
  }
});
