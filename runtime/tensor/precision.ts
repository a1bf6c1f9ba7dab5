/** The number format of matrix products and convolutions, for as long as a piece of work runs. */
import type { OpenedBackend } from './backends/opener.ts';
import { Missing } from './native/missing.ts';
import type { Precision, TensorBackend } from './types.ts';

export function precisionOf(name: string, opened: Pick<OpenedBackend, 'setPrecision'>): TensorBackend['withPrecision'] {
  let current: Precision = 'float32';
  const set = (precision: Precision): void => {
    if (precision === current) return;
    if (!opened.setPrecision) throw new Missing(`${name} computes in float32 only`, 'use float32');
    opened.setPrecision(precision);
    current = precision;
  };
  return (precision, f) => {
    const before = current;
    set(precision);
    let result: ReturnType<typeof f>;
    try {
      result = f();
    } catch (error) {
      set(before);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => set(before)) as typeof result;
    set(before);
    return result;
  };
}
