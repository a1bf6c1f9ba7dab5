/**
 * The whole loader (read, decode, augment, write to the batch) against PyTorch's DataLoader with torchvision on Pillow
 * pictures: CPU milliseconds per image of both, taken in turn, and images per second.
 *
 * Usage (after `npm run build`): node --import=tsx test/bench/loader.ts [recipe …] [--workers 0] [--turns 5] [--pictures FOLDER]
 * $PYTHON (default python3) must have torch, torchvision and pillow. --pictures takes a flat folder of photographs in
 * place of made ones.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { temporaryFolder, writePicture } from '../data/fixtures.ts';
import { type Recipe, recipes } from './loader-recipes.ts';
import { median, startOurs, startSide } from './sides.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '0' },
    turns: { type: 'string', default: '5' },
    pictures: { type: 'string' },
  },
});
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function folderFor({ width, height, suffix, files }: Recipe) {
  if (values.pictures && suffix === 'jpg') return { path: values.pictures, remove: async () => {} };
  const folder = temporaryFolder();
  for (let i = 0; i < files; i++) await writePicture(join(folder.path, `${i}.${suffix}`), width, height, i);
  return folder;
}

async function compare(name: string, recipe: Recipe): Promise<string> {
  const { path, remove } = await folderFor(recipe);
  const source = recipe.memory ? 'memory' : 'disk';
  const { workers } = values;
  const theirs = await startSide(process.env.PYTHON ?? 'python3', [
    here('loader_peer.py'),
    recipe.peer,
    path,
    workers,
    source,
  ]);
  const ours = await startOurs('loader-worker.ts', [name, path, workers]);
  const taken: { ours: number[][]; theirs: number[][] } = { ours: [], theirs: [] };
  for (let turn = 0; turn < Number(values.turns); turn++) {
    taken.theirs.push(await theirs.turn());
    taken.ours.push(await ours.turn());
  }
  theirs.stop();
  ours.stop();
  await remove();
  const [cpu, peerCpu] = [taken.ours, taken.theirs].map((turns) => median(turns.map(([ms]) => ms)));
  const ratio = median(taken.ours.map(([ms], turn) => taken.theirs[turn][0] / ms));
  const [rate, peerRate] = [taken.ours, taken.theirs].map((turns) => median(turns.map(([, perSecond]) => perSecond)));
  return (
    `${name}, ${workers} workers: ${cpu.toFixed(2)} CPU ms/image, PyTorch ${peerCpu.toFixed(2)}, ` +
    `${ratio.toFixed(2)}x less; ${rate.toFixed(0)} images/s, PyTorch ${peerRate.toFixed(0)}\n`
  );
}

const wanted = positionals.length > 0 ? positionals : Object.keys(recipes);
for (const name of wanted) process.stdout.write(await compare(name, recipes[name]));
