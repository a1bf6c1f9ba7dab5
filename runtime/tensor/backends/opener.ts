import type { FusedKernels } from '../kernels.ts';
import type { DeviceStreams, FusedOps, Precision } from '../types.ts';

export interface BackendOptions {
  /** threads on the CPU, where the backend can; default: all cores */
  readonly threads?: number;
  /** other threads want the same cores, such as those that decode images: who waits sleeps; default false */
  readonly crowded?: boolean;
}

export interface OpenedBackend {
  /** e.g. "CPU, 1 thread, SIMD" */
  readonly device: string;
  readonly version: string;
  /** fused kernels that this backend does better than the composed ones */
  readonly kernels: Partial<FusedKernels>;
  /** whole operations, with their gradients, in the place of the common ones */
  readonly ops?: Partial<FusedOps>;
  /**
   * Matrix products and convolutions are in this format from now on; absent where there is only float32.
   * @throws Missing where what is installed has none in it on this device
   */
  setPrecision?(precision: Precision): void;
  /** resolves when queued work is done; absent where work is done at once */
  sync?(): Promise<void>;
  /** absent where the device does one thing after the other */
  readonly streams?: DeviceStreams;
}

export interface BackendState {
  readonly name: string;
  readonly available: boolean;
  /** what it would run on, e.g. "CPU, 1 thread, SIMD" */
  readonly device?: string;
  readonly version?: string;
  /** a GPU's driver that computes on the CPU: never chosen unless asked for */
  readonly software?: boolean;
  /** why it does not work here */
  readonly reason?: string;
  /** what would add it */
  readonly cure?: string;
}

/** One backend; each is a file in this folder with an opener as its default export. */
export interface BackendOpener {
  /** number formats that matrix products and convolutions can have, as far as is known before it is opened */
  readonly precisions: readonly Precision[];
  /** Say whether it works here, loading as little as possible. */
  probe(): Promise<BackendState>;
  /** Register the tfjs backend of this name and its kernels, and make it ready. */
  open(options: BackendOptions): Promise<OpenedBackend>;
}
