/**
 * The backends beside one another: how many of the cpu backend's kernels each has, which are missing, and milliseconds of
 * what training does, forward with the gradients of all inputs. Each backend has a process of its own; run it alone.
 * Usage: node --import=tsx test/bench/backends.ts [backend …]      default: all that work here
 */
import { execFileSync } from 'node:child_process';
import { availableBackends, openBackend } from '../../runtime/tensor/backend.ts';
import { best } from '../../runtime/tensor/measure.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';

interface Column {
  readonly backend: string;
  readonly device: string;
  readonly kernels: readonly string[];
  /** ms by operation; null: it failed */
  readonly times: Readonly<Record<string, number | null>>;
}

type Operation = (backend: TensorBackend, inputs: readonly Variable[]) => Tensor;

const OPERATIONS: Readonly<Record<string, readonly [operation: Operation, ...shapes: number[][]]>> = {
  'matMul 512x512': [({ tf }, [a, b]) => tf.matMul(a as never, b as never), [512, 512], [512, 512]],
  'conv2d 3x3, 16x32x32x64 to 64': [
    ({ ops }, [x, filter]) => ops.conv2d(x, filter, null, { padding: [1, 1] }),
    [16, 32, 32, 64],
    [3, 3, 64, 64],
  ],
  'conv2d 1x1, 16x16x16x256 to 64': [
    ({ ops }, [x, filter]) => ops.conv2d(x, filter, null),
    [16, 16, 16, 256],
    [1, 1, 256, 64],
  ],
  'conv2d 3x3 in 8 groups, 16x32x32x64': [
    ({ ops }, [x, filter]) => ops.conv2d(x, filter, null, { padding: [1, 1], groups: 8 }),
    [16, 32, 32, 64],
    [3, 3, 8, 64],
  ],
  'batchNorm and ReLU, 16x32x32x64': [
    ({ tf, ops }, [x, scale, offset]) => {
      const state = { runningMean: tf.variable(tf.zeros([64]), false), runningVar: tf.variable(tf.ones([64]), false) };
      const y = ops.batchNorm(x, scale, offset, state, { training: true, relu: true });
      tf.dispose([state.runningMean, state.runningVar]);
      return y;
    },
    [16, 32, 32, 64],
    [64],
    [64],
  ],
  'maxPool 3x3, 16x32x32x64': [
    ({ ops }, [x]) => ops.maxPool(x, { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
    [16, 32, 32, 64],
  ],
  'addRelu 16x32x32x64': [({ ops }, [a, b]) => ops.addRelu(a, b), [16, 32, 32, 64], [16, 32, 32, 64]],
  'layerNorm2d 16x32x32x64': [
    ({ ops }, [x, scale, offset]) => ops.layerNorm2d(x, scale, offset),
    [16, 32, 32, 64],
    [64],
    [64],
  ],
  'l2Normalize 1024x128': [({ ops }, [x]) => ops.l2Normalize(x), [1024, 128]],
  'logSoftmax 1024x1000': [({ ops }, [x]) => ops.logSoftmax(x), [1024, 1000]],
  'topk 20 of 256x4096': [({ ops }, [x]) => ops.topk(x, 20).values, [256, 4096]],
};

function time(backend: TensorBackend, operation: Operation, shapes: readonly number[][]): number {
  const { tf } = backend;
  const inputs = shapes.map(
    (shape, i) => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', i) as Tensor) as Variable,
  );
  const shortest = best(() =>
    backend.scope(() => {
      const tape = backend.openTape();
      try {
        const loss = tf.sum(tf.square(operation(backend, inputs)));
        for (const gradient of tape.backward(loss as Tensor, inputs)) gradient!.dataSync();
      } finally {
        tape.close();
      }
    }),
  );
  tf.dispose(inputs);
  return shortest;
}

async function measure(name: string): Promise<Column> {
  const backend = await openBackend(name);
  const times: Record<string, number | null> = {};
  for (const [label, [operation, ...shapes]] of Object.entries(OPERATIONS)) {
    try {
      times[label] = time(backend, operation, shapes);
    } catch (error) {
      process.stderr.write(`${name}: ${label}: ${(error as Error).message}\n`);
      times[label] = null;
    }
  }
  return { backend: name, device: backend.device, kernels: [...backend.kernels()], times };
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--one') {
  process.stdout.write(JSON.stringify(await measure(rest[0])));
} else {
  const asked = first === undefined ? [] : [first, ...rest];
  const works = (await availableBackends()).filter(({ available }) => available).map(({ name }) => name);
  const names = asked.length > 0 ? asked : works;
  const columns = names.map((name): Column => {
    const program = [...process.execArgv, process.argv[1], '--one', name];
    return JSON.parse(execFileSync(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] }).toString());
  });
  const cpu = new Set((await openBackend('cpu')).kernels());
  const line = (label: string, cells: readonly string[]): void =>
    console.log(label.padEnd(38) + cells.map((cell) => cell.padStart(14)).join(''));
  line('', names);
  line(
    `of the ${cpu.size} kernels of cpu`,
    columns.map(({ kernels }) => String(kernels.filter((kernel) => cpu.has(kernel)).length)),
  );
  for (const label of Object.keys(OPERATIONS)) {
    line(
      `${label}, ms`,
      columns.map(({ times }) => times[label]?.toFixed(times[label]! < 10 ? 2 : 0) ?? 'fails'),
    );
  }
  for (const { backend, device, kernels } of columns) {
    const missing = [...cpu].filter((kernel) => !kernels.includes(kernel)).sort();
    console.log(
      `${backend}: ${device}; ${missing.length > 0 ? `without ${missing.join(', ')}` : 'every kernel of cpu'}`,
    );
  }
}
