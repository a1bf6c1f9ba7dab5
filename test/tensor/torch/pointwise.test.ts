/** Convolutions of 1×1 as matrix products, beside libtorch's own convolution. */
import assert from 'node:assert/strict';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import { formula, near } from '../support.ts';
import { type Aten, given, read, withTorch } from './support.ts';

withTorch('pointwise convolution on torch', () => {
  let torch: Aten;
  before(async () => {
    await openBackend('torch');
    torch = await import('../../../runtime/tensor/backends/torch/aten.ts');
  });

  for (const [type, tolerance] of [
    ['float32', 1e-5],
    ['bfloat16', 0.02],
  ] as const) {
    for (const [n, c, height, width, o] of [
      [1, 1, 1, 1, 1],
      [3, 16, 5, 7, 24],
      [2, 130, 9, 1, 3],
    ]) {
      it(`[${n}, ${c}, ${height}, ${width}] to ${o} channels in ${type}: values, gradients and order in memory`, () => {
        torch.kernelScope(() => {
          const { addon, aten, memoryFormat, ownOperator, scalarType, upload } = torch;
          const at = scalarType[type];
          const [x, w, dy] = [
            given(torch, 0, [n, c, height, width], at),
            given(torch, 1, [o, c, 1, 1], at),
            given(torch, 2, [n, o, height, width], at),
          ];
          const bias = aten('_to_copy')(upload(formula(3, o), [o], scalarType.float32), at);
          const rule = [[1, 1], [0, 0], [1, 1], false, [0, 0], 1] as const;
          for (const b of [null, bias]) {
            const y = ownOperator('pointwise')(x, w, b);
            near(read(torch, y), read(torch, aten('convolution')(x, w, b, ...rule)), tolerance, 'y');
            assert.ok(addon.isContiguous(y, memoryFormat.channelsLast));
          }
          const [dx, dw] = aten('convolution_backward')(dy, x, w, null, ...rule, [true, true, false]);
          const ownDx = ownOperator('pointwise_input_gradient')(dy, w);
          const ownDw = ownOperator('pointwise_filter_gradient')(dy, x);
          near(read(torch, ownDx), read(torch, dx), tolerance, 'dx');
          near(read(torch, ownDw), read(torch, dw), tolerance, 'dw');
          for (const own of [ownDx, ownDw]) assert.ok(addon.isContiguous(own, memoryFormat.channelsLast));
        });
      });
    }
  }

  it('refuses a larger filter', () => {
    torch.kernelScope(() => {
      const { float32 } = torch.scalarType;
      const [x, w] = [given(torch, 0, [1, 2, 3, 3], float32), given(torch, 1, [2, 2, 3, 3], float32)];
      assert.throws(
        () => torch.ownOperator('pointwise')(x, w, null),
        /pipe::pointwise: a pointwise filter is \[O, C, 1, 1\]/,
      );
    });
  });
});
