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
  const { digits, exponent } = (single && singleDigits(Math.abs(x))) || allDigits(Math.abs(x), single);
  return `${x < 0 ? '-' : ''}${placed(digits, exponent)}`;
}

/** x is digits[0].digits[1…] × 10^exponent; no zeros at the end. */
interface Digits {
  readonly digits: string;
  readonly exponent: number;
}

function placed(digits: string, exponent: number): string {
  if (exponent < -4 || exponent >= 16) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits[0]}${rest}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${whole}.${digits.slice(exponent + 1) || '0'}`;
}

const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);

/** Of usual sizes by arithmetic, ten times as fast as by text. Nine digits always tell one float32 from all others. */
function singleDigits(x: number): Digits | undefined {
  if (x < 1e-12 || x >= 1e15) return undefined;
  const exponent = Math.floor(Math.log10(x));
  for (let count = 6; count <= 9; count++) {
    const places = count - 1 - exponent;
    const whole = roundedToEven(places >= 0 ? x * POWERS[places] : x / POWERS[-places]);
    if (Math.fround(places >= 0 ? whole / POWERS[places] : whole * POWERS[-places]) === x)
      return { digits: trimmed(String(whole)), exponent: placeOf(whole, count, exponent) };
  }
  return undefined;
}

/** The exponent was a logarithm's, which may be one off next to a power of ten. */
const placeOf = (whole: number, count: number, exponent: number): number =>
  exponent + (whole >= POWERS[count] ? 1 : whole < POWERS[count - 1] ? -1 : 0);

function roundedToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

function allDigits(x: number, single: boolean): Digits {
  const [mantissa, power] = (single ? shortestSingle(x) : x.toExponential()).split('e');
  return { digits: trimmed(mantissa.replace('.', '')), exponent: Number(power) };
}

function shortestSingle(x: number): string {
  let best = x.toExponential(8);
  for (let places = 7; places >= 0; places--) {
    const text = x.toExponential(places);
    if (Math.fround(Number(text)) !== x) break;
    best = text;
  }
  return best;
}

function trimmed(digits: string): string {
  let end = digits.length;
  while (end > 1 && digits.charCodeAt(end - 1) === 48) end--;
  return end === digits.length ? digits : digits.slice(0, end);
}
