/** Which checkpoint of a VISSL run to take: its folder holds model_phase3.torch, model_iteration100.torch, …. */

const number = (name: string): number => Number(/(\d+)\.torch$/.exec(name)?.[1] ?? -1);

/** The run is complete: it has its final checkpoint. */
export const isComplete = (files: readonly string[]): boolean => files.some(isFinal);

const isFinal = (name: string): boolean => name.startsWith('model_final') && name.endsWith('.torch');

/**
 * The final checkpoint, unless it does not count; else that of the highest phase (or iteration), or the nth highest, as
 * far as there are so many. Undefined when there is none.
 * In the same place the reference code gives the text "None" when other .torch files are there.
 */
export function visslCheckpoint(
  files: readonly string[],
  { iterations = false, skipFinal = false, nth = 1 }: { iterations?: boolean; skipFinal?: boolean; nth?: number } = {},
): string | undefined {
  const final = files.find(isFinal);
  if (final && !skipFinal) return final;
  const pattern = iterations ? /^model_iteration\d+\.torch$/ : /^model_phase\d+\.torch$/;
  const found = files.filter((name) => pattern.test(name)).sort((a, b) => number(b) - number(a));
  return found[Math.min(nth, found.length) - 1];
}
