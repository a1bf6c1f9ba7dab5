/** Weights of one model from a run, a checkpoint or a file into a file that other programs read. */
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { LATEST, MODEL_FILE } from './checkpoint.ts';
import { type Renaming, renamed } from './rename.ts';
import { type TensorSource, writeSafetensors } from './safetensors.ts';
import { fromClassyVision, NAMINGS } from './state-dict-names.ts';
import { type TorchSource, writeTorchFile } from './torch-file/write.ts';
import { openWeightsFile, type WeightsFile } from './weights-file.ts';

export interface ExportRequest {
  /** run folder (its newest checkpoint), checkpoint folder or weights file */
  readonly from: string;
  /** model node, in files of several */
  readonly node?: string;
  /** .safetensors, or .torch, .pth, .pt for PyTorch */
  readonly to: string;
  /** vissl (as they are), torchvision, detectron2 or classy */
  readonly names: string;
  /** of what names begin with, after that; one after the other */
  readonly rename?: readonly Renaming[];
}

export interface Exported {
  readonly from: string;
  /** tensors written */
  readonly tensors: number;
  readonly parameters: number;
  /** names that the other project has not */
  readonly skipped: readonly string[];
}

/** What cannot be exported as asked; the message says why and what to do. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

const TORCH_FILES: ReadonlySet<string> = new Set(['.torch', '.pth', '.pt']);

/** The file is written aside and renamed. @throws ExportError */
export async function exportWeights({ from, node, to, names, rename: changes = [] }: ExportRequest): Promise<Exported> {
  const format = extname(to);
  if (format !== '.safetensors' && !TORCH_FILES.has(format)) {
    throw new ExportError(`${to} has no known ending. Name a file that ends in .safetensors, .torch, .pth or .pt`);
  }
  const path = await newest(from);
  const file = await openWeightsFile(path);
  const aside = join(dirname(to), `.tmp-${process.pid}-${basename(to)}`);
  try {
    const own = chooseNode(file.names, node, path);
    const converted = convertNames(own, names);
    const { skipped } = converted;
    const written = withPrefixes(converted.names, changes);
    let parameters = 0;
    const sources: Source[] = [];
    for (const [name, stored] of written) {
      const { shape, values } = await file.read(stored);
      parameters += /running_|num_batches_tracked/.test(name) ? 0 : values.length;
      sources.push({ name, shape, integer: values instanceof Int32Array, read: () => readValues(file, stored) });
    }
    if (format === '.safetensors') await writeSafetensors(aside, sources.map(forSafetensors), { format: 'pt' });
    else await writeTorch(aside, sources, names);
    await rename(aside, to);
    return { from: path, tensors: sources.length, parameters, skipped };
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
}

interface Source {
  readonly name: string;
  readonly shape: readonly number[];
  readonly integer: boolean;
  read(): Promise<Float32Array | BigInt64Array>;
}

/** Whole numbers (counters of batches) are int64 in PyTorch. */
async function readValues(file: WeightsFile, name: string): Promise<Float32Array | BigInt64Array> {
  const { values } = await file.read(name);
  return values instanceof Float32Array ? values : BigInt64Array.from(values, BigInt);
}

const forSafetensors = ({ name, shape, integer, read }: Source): TensorSource => ({
  name,
  dtype: integer ? 'I64' : 'F32',
  shape,
  async read() {
    const values = await read();
    return values instanceof Float32Array ? values : new Uint8Array(values.buffer);
  },
});

/** torchvision loads a bare state dict; VISSL and ClassyVision one behind a key; Detectron2 matches names by itself. */
function writeTorch(path: string, sources: readonly Source[], names: string): Promise<void> {
  const tensors = sources.map(
    ({ name, shape, integer, read }): TorchSource => ({ name, dtype: integer ? 'int64' : 'float32', shape, read }),
  );
  if (names === 'torchvision') return writeTorchFile(path, tensors);
  if (names === 'detectron2') return writeTorchFile(path, tensors, ['model'], { matching_heuristics: true });
  return writeTorchFile(path, tensors, ['model_state_dict']);
}

/** The checkpoint that a run would go on from. */
async function newest(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new ExportError(`there is no run, checkpoint or file ${path}. Check the path`);
  if (!found.isDirectory()) return path;
  const isCheckpoint = await stat(join(path, MODEL_FILE)).catch(() => undefined);
  if (isCheckpoint) return path;
  const folder = join(path, 'checkpoints');
  const name = await readFile(join(folder, LATEST), 'utf8').catch(() => undefined);
  if (name) return join(folder, name.trim());
  throw new ExportError(`${path} holds no checkpoint. Give the folder of a run or of a checkpoint, or a weights file`);
}

/** Names of the node without it in front → names in the file. */
function chooseNode(names: readonly string[], node: string | undefined, path: string): Map<string, string> {
  if (node === undefined) {
    const nodes = new Set(names.map((name) => name.slice(0, name.indexOf('.'))));
    if (names.some((name) => /^(_feature_blocks|clf|conv1|layer1|blocks)\b/.test(name))) return ownNames(names);
    if (nodes.size > 1) {
      throw new ExportError(`${path} holds several models. Say which with --node: ${[...nodes].join(', ')}`);
    }
    [node] = nodes;
  }
  const own = names.filter((name) => name.startsWith(`${node}.`));
  if (own.length > 0) return new Map(own.map((name) => [name.slice(node.length + 1), name]));
  const nodes = new Set(names.map((name) => name.slice(0, name.indexOf('.'))));
  throw new ExportError(`${path} has no model "${node}". It has ${[...nodes].join(', ')}`);
}

/** Our names of a file of VISSL, torchvision or ClassyVision; classifiers of the other two are left out. */
function ownNames(names: readonly string[]): Map<string, string> {
  const own = (name: string): string | undefined => {
    if (names.some((other) => other.startsWith('initial_block.'))) return fromClassyVision(name);
    if (!names.includes('conv1.weight')) return name;
    return name.startsWith('fc.') ? undefined : `_feature_blocks.${name}`;
  };
  return new Map(
    names.flatMap((name) => {
      const ours = own(name);
      return ours === undefined ? [] : [[ours, name] as const];
    }),
  );
}

function withPrefixes(names: ReadonlyMap<string, string>, changes: readonly Renaming[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, stored] of names) {
    const other = changes.reduce(renamed, name);
    if (found.has(other)) throw new ExportError(`two tensors would be named ${other}. Rename less`);
    found.set(other, stored);
  }
  return found;
}

function convertNames(names: ReadonlyMap<string, string>, naming: string) {
  const convert = NAMINGS[naming];
  const foreign = naming === 'vissl' ? undefined : [...names.keys()].find((name) => !fits(name, naming));
  if (foreign !== undefined) {
    throw new ExportError(
      `${naming} has no name for ${foreign}: ${naming === 'torchvision' ? 'trunks only' : 'ResNets only'} can be written so. Leave out --names, or choose the trunk with --node`,
    );
  }
  const found = new Map<string, string>();
  const skipped: string[] = [];
  for (const [name, stored] of names) {
    const other = convert(name);
    if (other === undefined) skipped.push(name);
    else if (found.has(other)) throw new ExportError(`two parameters would be named ${other}`);
    else found.set(other, stored);
  }
  return { names: found, skipped };
}

const fits = (name: string, naming: string): boolean =>
  naming === 'torchvision'
    ? name.startsWith('_feature_blocks.')
    : /^_feature_blocks\.(conv1|bn1|layer\d\.\d+\.((conv|bn)\d|downsample\.[01]))\./.test(name);
