import pool from '../../../nodes/features/pool.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { Tensor } from '../../../runtime/tensor/types.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { nearTensor, same } from '../compare.ts';
import { fromImages, toImages } from '../layout.ts';
import { createSpecModel, describe } from '../model.ts';
import type { OracleCase } from '../oracle-file.ts';

const both = (value: number | [number, number]): [number, number] => (Array.isArray(value) ? value : [value, value]);

/** PyTorch's module and its arguments as params of the node. */
export function poolParams(op: string, args: readonly any[]): Record<string, unknown> {
  const ops: Readonly<Record<string, string>> = {
    AvgPool2d: 'avg_pool',
    MaxPool2d: 'max_pool',
    AdaptiveAvgPool2d: 'adaptive_avg_pool',
    AdaptiveMaxPool2d: 'adaptive_max_pool',
    Identity: 'identity',
  };
  if (op === 'Identity') return { op: 'identity' };
  if (op.startsWith('Adaptive')) return { op: ops[op], size: both(args[0]) };
  const [kernel, stride, padding] = args;
  return {
    op: ops[op],
    kernel: both(kernel),
    ...(stride === undefined ? {} : { stride: both(stride) }),
    ...(padding === undefined ? {} : { padding: both(padding) }),
  };
}

async function check({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const run = (flatten: boolean) => {
    const model = createSpecModel(
      backend,
      describe(pool as NodeType, { ...poolParams(params.op, params.args), flatten }),
    );
    return model.forward(toImages(backend, inputs.x), { training: false, outputs: ['output'] }).output as Tensor;
  };
  await backend.scopeAsync(async () => {
    await nearTensor(fromImages(backend, run(false)), outputs.out, tolerance, 'pooled');
    same(run(true).shape, outputs.flattened_shape, 'shape when flattened');
    await nearTensor(run(true), { ...outputs.out, shape: outputs.flattened_shape }, tolerance, 'flattened');
  });
}

export default [{ pattern: /^trunks\/feature_pool_ops\.json$/, check }] satisfies readonly Checker[];
