/** Which binding runs here: one that was built for this machine's TensorFlow, else the npm package's own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Missing } from '../missing.ts';
import { bindingPath } from './build.ts';
import { locateTensorflow } from './locate.ts';
import { locatePackage, type TfjsNode } from './package.ts';

export interface Binding {
  readonly tfjs: TfjsNode;
  readonly path: string;
  /** of TensorFlow */
  readonly version: string;
  /** may use an NVIDIA GPU */
  readonly cuda: boolean;
}

/** @throws one sentence: no TensorFlow, nothing built yet */
export function chooseBinding(): Binding {
  const tfjs = locatePackage();
  try {
    const tensorflow = locateTensorflow();
    const version = tensorflow.version.join('.');
    const path = tfjs && bindingPath(tensorflow, tfjs);
    if (path && existsSync(path)) return { tfjs, path, version, cuda: tensorflow.cuda };
    throw new Missing(`the binding for TensorFlow ${version} is not built`, 'pipe backends build tensorflow');
  } catch (error) {
    if (!(error instanceof Missing) || !tfjs?.own) throw error;
    return { tfjs, path: tfjs.own.binding, version: tfjs.own.tensorflow, cuda: tfjs.name.endsWith('-gpu') };
  }
}

/** Names of the NVIDIA GPUs that the driver knows. */
export function nvidiaGpus(folder = '/proc/driver/nvidia/gpus'): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((bus) => {
    const facts = join(folder, bus, 'information');
    const model = existsSync(facts) && /^Model:\s*(.+)$/m.exec(readFileSync(facts, 'utf8'));
    return model ? model[1].trim() : 'NVIDIA';
  });
}
