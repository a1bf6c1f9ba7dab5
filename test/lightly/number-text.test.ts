import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFloating, parseWhole } from '../../runtime/lightly/number-parse.ts';
import { floatText } from '../../runtime/lightly/number-text.ts';

describe('numbers as text', () => {
  it('are those of Python', () => {
    // repr(x) of Python 3
    const known: readonly (readonly [number, string])[] = [
      [0.1, '0.1'],
      [-0, '-0.0'],
      [1e15, '1000000000000000.0'],
      [1e16, '1e+16'],
      [123456789012345680, '1.2345678901234568e+17'],
      [0.0001, '0.0001'],
      [0.00001, '1e-05'],
      [5e-324, '5e-324'],
      [1.7976931348623157e308, '1.7976931348623157e+308'],
      [-2.5e-7, '-2.5e-07'],
      [100, '100.0'],
    ];
    for (const [x, text] of known) assert.equal(floatText(x), text);
    // str(np.float32(x))
    for (const [x, text] of [
      [0.1, '0.1'],
      [16777216, '16777216.0'],
      [3.4028234663852886e38, '3.4028235e+38'],
      [1.401298464324817e-45, '1e-45'],
      [1 / 3, '0.33333334'],
      [2 ** -12, '0.00024414062'],
      [-1060415.25, '-1060415.2'],
      [390695.625, '390695.62'],
      [999999.9375, '999999.94'],
      [0.00099999, '0.00099999'],
    ] as const) {
      assert.equal(floatText(Math.fround(x), true), text);
    }
  });

  it('read back as the same number', () => {
    fc.assert(fc.property(fc.double(), (x) => assert.equal(parseFloating(floatText(x)), x)));
    fc.assert(fc.property(fc.float(), (x) => assert.equal(Math.fround(parseFloating(floatText(x, true))!), x)));
    fc.assert(fc.property(fc.maxSafeInteger(), (x) => assert.equal(parseWhole(String(x)), x)));
  });

  it('are refused when Python refuses them', () => {
    for (const text of ['', ' ', '1__0', '_1', '1_', '0x10', '1,5', 'infinit', '1e', 'e5', '--1', '1 2', '.']) {
      assert.equal(parseFloating(text), undefined, text);
    }
    for (const text of ['', '1.0', '1e3', '0b1', '- 1', '１x']) assert.equal(parseWhole(text), undefined, text);
  });
});
