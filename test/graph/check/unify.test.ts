import assert from 'node:assert/strict';
import { type Arrival, substitute, unify } from '../../../graph/check/unify.ts';
import { concatenated, formatShape } from '../../../graph/dim.ts';
import { batch, type Dim, type DimPattern, type Shape } from '../../../graph/port.ts';

const arrival = (port: string, pattern: readonly DimPattern[], shapes: readonly Shape[], list = false): Arrival => ({
  port,
  type: batch.tensor('float32', pattern, { list }),
  value: { rate: 'batch', kind: 'tensor', dtype: 'float32', list, shapes },
  from: `x.${port}`,
});
const one = (pattern: readonly DimPattern[], shape: Shape) => arrival('a', pattern, [shape]);
const bound = (...arrivals: Arrival[]): Record<string, Dim> => {
  const { symbols, conflicts } = unify(arrivals);
  assert.deepEqual(conflicts, []);
  return Object.fromEntries(symbols);
};
const conflict = (...arrivals: Arrival[]) =>
  unify(arrivals).conflicts.map(({ port, message }) => `${port}: ${message}`);

describe('unify', () => {
  it('binds factors from the right', () => {
    assert.deepEqual(bound(one(['V*N', 'D'], [[8, 64], [128]])), { V: [8], N: [64], D: [128] });
    assert.deepEqual(bound(one(['V*N'], [[64]])), { V: [1], N: [64] });
    assert.deepEqual(bound(one(['N'], [[8, 64]])), { N: [8, 64] });
    assert.deepEqual(bound(one(['V*N'], [[2, 4, 64]])), { V: [2, 4], N: [64] });
    assert.deepEqual(bound(one([3, 'N'], [[3], ['rows']])), { N: ['rows'] });
    assert.deepEqual(bound(one([], [])), {});
  });

  it('divides one unknown factor out of a known size', () => {
    assert.deepEqual(bound(one(['9*N'], [[288]])), { N: [32] });
    assert.deepEqual(bound(arrival('a', ['V', 'D'], [[[8], [4]]]), arrival('b', ['V*N'], [[[512]]])).N, [64]);
    assert.deepEqual(conflict(one(['9*N'], [[100]])), [
      'a: x.a gives 100, and 9*N is wanted: 100 is no multiple of 9*N',
    ]);
  });

  it('lets products be told apart by a port that knows their factors, in any order', () => {
    const merged = arrival('a', ['V*N', 'D'], [[[512], [128]]]);
    const factors = arrival('b', ['V*N', 'K'], [[[8, 64], [30]]]);
    assert.deepEqual(bound(merged, factors), { V: [8], N: [64], D: [128], K: [30] });
  });

  it('treats sizes that are known only later as equal to anything', () => {
    const later = bound(arrival('a', ['N', 'D'], [[['n'], [128]]]), arrival('b', ['N'], [[[64]]]));
    assert.deepEqual(later, { N: ['n'], D: [128] });
  });

  it('reports the symbol, its size and who bound it', () => {
    const label = arrival('label', ['N'], [[[64]]]);
    assert.deepEqual(conflict(arrival('a', ['N', 'D'], [[[32], [128]]]), label), [
      'label: x.label gives 64, and N is wanted: N is 32 (a is 32×128 from x.a), not 64',
    ]);
    assert.deepEqual(conflict(one([4], [[5]])), ['a: x.a gives 5, and 4 is wanted: 4, not 5']);
    assert.deepEqual(conflict(one(['V*N'], [[8, 64]]), arrival('b', ['V', 'N'], [[[4], [64]]])), [
      'b: x.b gives 4×64, and V×N is wanted: V is 8 (a is 8·64 from x.a), not 4',
    ]);
  });

  it('lets elements of a list differ in what they alone bind', () => {
    const scores = arrival(
      'scores',
      ['N', 'K'],
      [
        [[64], [30]],
        [[64], [50]],
      ],
      true,
    );
    const { symbols, elements, conflicts } = unify([scores, arrival('label', ['N'], [[[64]]])]);
    assert.deepEqual(conflicts, []);
    assert.deepEqual(Object.fromEntries(symbols), { N: [64] });
    assert.deepEqual(
      elements.map((element) => element.get('K')),
      [[30], [50]],
    );
    assert.deepEqual(conflict(scores, arrival('label', ['N'], [[[32]]])).length, 2);
    const same = arrival(
      'scores',
      ['N', 'K'],
      [
        [[64], [30]],
        [[64], [30]],
      ],
      true,
    );
    assert.deepEqual(bound(same), { N: [64], K: [30] });
  });

  it('substitutes what is bound and names what is not', () => {
    const symbols = new Map<string, Dim>([['N', [2, 64]]]);
    assert.deepEqual(substitute(['N', 'V*N', 3, 'D'], symbols, 'node'), [[2, 64], ['node.V', 2, 64], [3], ['node.D']]);
  });
});

describe('dimensions', () => {
  it('are concatenated by their first factor where the rest agrees', () => {
    assert.deepEqual(concatenated([2, 64], [6, 64]), [8, 64]);
    assert.deepEqual(concatenated([64], [32]), [96]);
    assert.deepEqual(concatenated([2, 64], [6, 32]), [320]);
    assert.deepEqual(concatenated([2, 'n'], [6, 'n']), [8, 'n']);
    assert.deepEqual(concatenated(['n'], [6]), ['n+6']);
  });

  it('are shown without factors of one', () => {
    assert.equal(formatShape([[1, 64], [1], [8, 'n']]), '64×1×8·n');
    assert.equal(formatShape([]), 'scalar');
  });
});
