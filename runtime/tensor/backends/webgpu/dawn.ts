/** As much of the interface of WebGPU as is called here. https://www.w3.org/TR/webgpu/ */
import type { Adapter } from './adapter.ts';

export interface GpuBuffer {
  readonly size: number;
  readonly mapState: 'unmapped' | 'pending' | 'mapped';
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
}

export interface GpuDevice {
  readonly queue: { onSubmittedWorkDone(): Promise<void> };
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(type: 'uncapturederror', listener: (event: UncapturedError) => void): void;
}

export interface UncapturedError {
  readonly error: { readonly message: string };
  preventDefault(): void;
}

export interface GpuAdapter extends Adapter {
  requestDevice(descriptor: {
    readonly requiredFeatures: readonly string[];
    readonly requiredLimits: Readonly<Record<string, number>>;
  }): Promise<GpuDevice>;
}

export interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
}

/** The npm package `webgpu`. */
export interface Dawn {
  create(options: readonly string[]): Gpu;
  /** classes and constants that a browser has as globals */
  readonly globals: Readonly<Record<string, unknown>>;
}
