/** Numbers as Python writes them, so that files are equal byte for byte to those of Python tools. */

/**
 * Python's repr of a float: the shortest digits that read back as the same number, with an exponent below 1e-4 and from
 * 1e16 on, and ".0" after a whole number. `single`: shortest among float32, as numpy writes the elements of float32
 * arrays.
 */
export function floatText(x: number, single = false): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0';
  const [mantissa, power] = (single ? shortestSingle(x) : x.toExponential()).split('e');
  const exponent = Number(power);
  const sign = x < 0 ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '').replace(/(?!^)0+$/, '');
  if (exponent < -4 || exponent >= 16) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${rest}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** Nine digits always tell one float32 from all others; most need eight, few less. */
function shortestSingle(x: number): string {
  let best = x.toExponential(8);
  for (let places = 7; places >= 0; places--) {
    const text = x.toExponential(places);
    if (Math.fround(Number(text)) !== x) break;
    best = text;
  }
  return best;
}
