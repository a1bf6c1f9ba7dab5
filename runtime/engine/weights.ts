/** Initial weights of a model node from a file: safetensors, a checkpoint's folder, or a file of PyTorch. */
import type { TensorBackend } from '../tensor/types.ts';
import { fitNames } from '../train/fit-names.ts';
import { type OpenWeights, openWeightsFile } from '../train/weights-file.ts';
import { assignStored, type RunningModel } from './models.ts';

export interface LoadedWeights {
  readonly loaded: readonly string[];
  /** parameters of the model that the file has not: they keep their initial values */
  readonly missing: readonly string[];
  /** names of the file that the model has not */
  readonly unexpected: readonly string[];
  /** how the file's names differ, "torchvision's names behind \"module.\""; empty when they do not */
  readonly names: string;
}

/**
 * Assign the file's values to the model's parameters and buffers. The file may have the names of VISSL, torchvision,
 * Detectron2 or ClassyVision, with anything in front; `prefix` says what.
 * @throws Error when nothing fits, several prefixes do, or a shape differs
 */
export async function loadWeights(
  running: RunningModel,
  path: string,
  prefix: string | undefined,
  backend: TensorBackend,
  open: OpenWeights = openWeightsFile,
): Promise<LoadedWeights> {
  const file = await open(path);
  try {
    const { node, model } = running;
    const variables = [...model.variables.values()];
    const fit = fitted(file.names, running, prefix, path);
    const loaded: string[] = [];
    const missing: string[] = [];
    for (const variable of variables) {
      const stored = fit.byParameter.get(variable.name);
      if (stored === undefined) {
        missing.push(variable.name);
        continue;
      }
      assignStored(backend, variable, await file.read(stored), `${path} for ${node.name}`);
      loaded.push(variable.name);
    }
    const used = new Set(fit.byParameter.values());
    const unexpected = file.names.filter((name) => !used.has(name));
    return { loaded, missing, unexpected, names: differences(fit.naming, fit.prefix, [prefix ?? '', `${node.name}.`]) };
  } finally {
    await file.close();
  }
}

function fitted(names: readonly string[], { node, model }: RunningModel, prefix: string | undefined, path: string) {
  try {
    return fitNames(names, [...model.variables.keys()], prefix, node.name);
  } catch (error) {
    throw new Error(`${path} has no weights for ${node.name}: ${(error as Error).message}`, { cause: error });
  }
}

const PROJECTS: Readonly<Record<string, string>> = {
  torchvision: "torchvision's",
  detectron2: "Detectron2's",
  classy: "ClassyVision's",
};

function differences(naming: string, prefix: string, expected: readonly string[]): string {
  const front = prefix === '' || expected.includes(prefix) ? '' : `behind "${prefix}"`;
  const names = PROJECTS[naming] ? `${PROJECTS[naming]} names` : front && 'names';
  return [names, front].filter(Boolean).join(' ');
}
