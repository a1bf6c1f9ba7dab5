/** `pipe jigsaw-perms`: permutations that lie far apart, as the .npy that transform/shuffle_patches reads. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { hammingPermutations, MOST_PATCHES, type PermutationMethod } from '../../data/hamming-permutations.ts';
import { writeNpy } from '../../data/npy-write.ts';
import { createCounter } from '../counter.ts';
import { refusal } from '../request.ts';

interface PermsOptions {
  readonly count: string;
  readonly patches: string;
  readonly method: PermutationMethod;
  readonly seed: string;
  readonly out: string;
  readonly json?: boolean;
}

const OF_MORE = 'Of more patches transform/shuffle_patches makes them by itself, with "permutations"';

export async function jigsawPerms(options: PermsOptions): Promise<void> {
  const { method, out } = options;
  if (!out.endsWith('.npy')) throw refusal(`--out is "${out}"`, 'Name a file that ends in .npy');
  const length = whole('--patches', options.patches, 2, MOST_PATCHES, OF_MORE);
  const all = Array.from({ length }, (_, i) => i + 1).reduce((a, b) => a * b);
  const count = whole('--count', options.count, 2, all, `${length} patches have ${all} permutations`);
  const seed = whole('--seed', options.seed, 0, 2 ** 32 - 1, 'Give a whole number');
  const counter = createCounter();
  const onChosen = (chosen: number) => counter.show(`${chosen} of ${count} permutations`);
  const { values, mean, least } = hammingPermutations({ length, count, method, seed, onChosen });
  counter.done();
  mkdirSync(dirname(out), { recursive: true });
  await writeNpy(out, { shape: [count, length], values: BigInt64Array.from(values, BigInt) });
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ file: out, count, patches: length, method, seed, mean, least }, null, 2)}\n`,
    );
    return;
  }
  const node = { type: 'transform/shuffle_patches', perm_file: out, permutations: count };
  process.stdout.write(
    `${out}: ${count} permutations of ${length} patches; of two, ${mean.toFixed(3)} places differ on average, at least ${least}\n` +
      `As a node: ${JSON.stringify(node)}\n`,
  );
}

function whole(option: string, text: string, least: number, most: number, cure: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && text.trim() !== '' && value >= least && value <= most) return value;
  throw refusal(`${option} is "${text}", and must be a whole number from ${least} to ${most}`, cure);
}
