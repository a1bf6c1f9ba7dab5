/** ResNet-18 as torchvision builds it, and one training step on it: the yardstick for backends. */
import type { Layer, ModelSpec } from '../../graph/model/layers.ts';
import resnet from '../../nodes/trunks/resnet.ts';
import { createRandom } from '../../runtime/random.ts';
import { createModel, type ModelOptions } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';

const conv = (from: number, to: number, kernel: number, stride: number): Layer => ({
  op: 'conv2d',
  in: from,
  out: to,
  kernel: [kernel, kernel],
  stride: [stride, stride],
  padding: [(kernel - 1) / 2, (kernel - 1) / 2],
  bias: false,
  init: { kind: 'kaiming_normal', fan: 'out' },
});
const named = (layer: Layer, name: string): Layer => ({ ...layer, name });
const norm = (features: number): Layer => ({ op: 'batch_norm', features });

function block(from: number, to: number, stride: number, name: string): Layer {
  const main: Layer = {
    op: 'sequence',
    layers: [
      named(conv(from, to, 3, stride), 'conv1'),
      named(norm(to), 'bn1'),
      { op: 'relu' },
      named(conv(to, to, 3, 1), 'conv2'),
      named(norm(to), 'bn2'),
    ],
  };
  if (from === to && stride === 1) return { op: 'residual', name, main };
  const shortcut: Layer = {
    op: 'sequence',
    name: 'downsample',
    layers: [named(conv(from, to, 1, stride), '0'), named(norm(to), '1')],
  };
  return { op: 'residual', name, main, shortcut };
}

export function resnet18(classes: number): ModelSpec {
  const stage = (index: number, from: number, to: number) => ({
    name: `layer${index}`,
    layer: {
      op: 'sequence' as const,
      layers: [block(from, to, index === 1 ? 1 : 2, '0'), block(to, to, 1, '1')],
    },
  });
  return {
    stages: [
      { name: 'conv1', layer: conv(3, 64, 7, 2) },
      { name: 'bn1', layer: norm(64) },
      { name: 'relu', layer: { op: 'relu' } },
      { name: 'maxpool', layer: { op: 'max_pool', kernel: [3, 3], stride: [2, 2], padding: [1, 1] } },
      stage(1, 64, 64),
      stage(2, 64, 128),
      stage(3, 128, 256),
      stage(4, 256, 512),
      { name: 'avgpool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
      { name: 'flatten', layer: { op: 'flatten' } },
      { name: 'fc', layer: { op: 'linear', in: 512, out: classes } },
    ],
    outputs: { scores: { stage: 'fc' } },
  };
}

/** The project's own trunk with a classifier on it. */
export function classifier(depth: 18 | 50, classes: number): ModelSpec {
  const refuse = ({ message }: { message: string }) => {
    throw new Error(message);
  };
  const params = {
    depth,
    width_multiplier: 1,
    groups: 1,
    width_per_group: 64,
    norm: 'batch_norm' as const,
    zero_init_residual: false,
    layer4_stride: 2 as const,
    stem: 'imagenet' as const,
    input: 'rgb' as const,
    init: 'he_fan_out' as const,
  };
  const trunk = (resnet as unknown as { model(given: object): ModelSpec }).model({ params, problem: refuse });
  const features = depth === 18 ? 512 : 2048;
  const fc = { name: 'fc', layer: { op: 'linear' as const, in: features, out: classes } };
  return { stages: [...trunk.stages, fc], outputs: { scores: { stage: 'fc' } } };
}

/** A step function: forward, backward, SGD with momentum; resolves to the loss. */
export function trainer(
  backend: TensorBackend,
  batch: number,
  side: number,
  classes = 10,
  spec: ModelSpec = resnet18(classes),
  options: ModelOptions = {},
) {
  const { tf, ops } = backend;
  const random = createRandom(0);
  const model = createModel(backend, spec, random, options);
  const variables: Variable[] = [...model.variables.values()].filter((v) => v.trainable).map((v) => v.variable);
  const velocities = variables.map((v) => backend.scope(() => tf.variable(tf.zerosLike(v), false)));
  const pixels = Float32Array.from({ length: batch * side * side * 3 }, () => random.normal());
  const images = tf.tensor(pixels, [batch, side, side, 3]);
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, () => random.integer(classes)),
    'int32',
  );
  let started = false;
  const step = async (): Promise<number> => {
    const loss = backend.scope(() => {
      const tape = backend.openTape();
      const { scores } = model.forward(images, { training: true, outputs: ['scores'] });
      const value = ops.crossEntropy(scores as Tensor, labels);
      const gradients = tape.backward(value, variables) as Tensor[];
      ops.sgd(variables, gradients, velocities, started, {
        lr: 0.1,
        momentum: 0.9,
        weightDecay: 1e-4,
        nesterov: false,
      });
      started = true;
      return value;
    });
    const [number] = await loss.data();
    loss.dispose();
    return number;
  };
  return { step, model, variables };
}
