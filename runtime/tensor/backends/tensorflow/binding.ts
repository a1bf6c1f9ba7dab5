/** The functions of tfjs's binding for TensorFlow as TypeScript sees them, and loading it. */
import { createRequire } from 'node:module';
import { Missing } from '../../native/missing.ts';

/** A tensor of TensorFlow; stays until deleteTensor. */
export type TensorId = number;

export interface Attribute {
  readonly name: string;
  /** TF_AttrType */
  readonly type: number;
  readonly value: unknown;
}

export interface Output {
  readonly id: TensorId;
  readonly shape: number[];
  /** TF_DataType */
  readonly dtype: number;
}

export interface Binding {
  createTensor(shape: readonly number[], type: number, values: ArrayBufferView | readonly Uint8Array[]): TensorId;
  deleteTensor(id: TensorId): void;
  tensorDataSync(id: TensorId): Float32Array | Int32Array | Uint8Array | Uint8Array[];
  /** @throws what TensorFlow says is wrong */
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly TensorId[], outputs: number): Output[];
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
  readonly TF_Version: string;
}

let loaded: Binding | null = null;

/** Load it once: TensorFlow reads its settings then. What the user has set in the environment stays. */
export function loadBinding(path: string, threads: number): Binding {
  if (loaded) return loaded;
  const settings = {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: '2', // errors only
    TF_FORCE_GPU_ALLOW_GROWTH: 'true', // else the first process takes the whole memory of the GPU
  };
  for (const [name, value] of Object.entries(settings)) process.env[name] ??= value;
  try {
    loaded = createRequire(import.meta.url)(path) as Binding;
  } catch (error) {
    const cure = 'pipe backends build tensorflow --force';
    throw new Missing(`the TensorFlow binding ${path} does not load (${(error as Error).message})`, cure);
  }
  return loaded;
}
