import assert from 'node:assert/strict';
import fc from 'fast-check';
import { prototypeShares } from '../../../nodes/losses/sinkhorn.ts';
import { assignmentsOf } from '../../../nodes/losses/swav-assign.ts';
import { singleRank } from '../../../runtime/engine/ranks.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { meetingRanks } from '../../support/node-context.ts';

describe('Sinkhorn-Knopp', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('cpu');
  });

  const options = { iterations: 50, powerLaw: 0, inDouble: false, hard: false };
  const matrix = fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 5 })).chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      values: fc.array(fc.float({ min: Math.fround(0.01), max: 10, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      }),
    }),
  );

  const balanced = async (values: number[], rows: number, columns: number, inDouble: boolean) => {
    const result = await backend.scopeAsync(async () => {
      const { tf, ops } = backend;
      const q = tf.tensor2d(values, [rows, columns]);
      const tensor = await assignmentsOf({ tf, ops, ranks: singleRank }, q, { ...options, inDouble });
      return Array.from(await tensor.data());
    });
    return result;
  };

  it('gives rows that sum to 1 and prototypes of equal shares, in single and double precision', async () => {
    await fc.assert(
      fc.asyncProperty(matrix, fc.boolean(), async ({ rows, columns, values }, inDouble) => {
        const result = await balanced(values, rows, columns, inDouble);
        for (let row = 0; row < rows; row++) {
          const sum = result.slice(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0);
          assert.ok(Math.abs(sum - 1) < 1e-5);
        }
        for (let column = 0; column < columns; column++) {
          const sum = result.filter((_, i) => i % columns === column).reduce((a, b) => a + b, 0);
          assert.ok(Math.abs(sum / rows - 1 / columns) < 0.02, `prototype ${column} gets ${sum / rows}`);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('does not depend on how samples are spread over ranks', async () => {
    const values = Array.from({ length: 24 }, (_, i) => 0.1 + ((7 * i) % 11));
    const alone = await balanced(values, 8, 3, false);
    const { tf, ops } = backend;
    const halves = await backend.scopeAsync(async () => {
      const parts = meetingRanks(backend, 2).map((ranks, r) =>
        assignmentsOf({ tf, ops, ranks }, tf.tensor2d(values.slice(12 * r, 12 * r + 12), [4, 3]), options),
      );
      return (await Promise.all((await Promise.all(parts)).map((part) => part.data()))).flatMap((part) => [...part]);
    });
    halves.forEach((value, i) => {
      assert.ok(Math.abs(value - alone[i]) < 1e-5);
    });
  });

  it('has a prior of equal or power-law shares', () => {
    assert.deepEqual([...prototypeShares(4, 0)], [0.25, 0.25, 0.25, 0.25]);
    const [first, second] = prototypeShares(2, 1);
    assert.ok(Math.abs(first - 2 / 3) < 1e-12 && Math.abs(second - 1 / 3) < 1e-12);
  });
});
