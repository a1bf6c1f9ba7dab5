/** Which adapter (a GPU and its driver) WebGPU finds, and whether it will do. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export interface AdapterFacts {
  /** as the driver calls it */
  readonly name: string;
  /** Vulkan, Metal, Direct3D 12 */
  readonly through: string;
  /** computed on the CPU by the driver: for tests, slower than the wasm backend */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

export interface Refusal {
  readonly reason: string;
  readonly cure: string;
}

/** Dawn's name of the system's graphics interface. Others (OpenGL) lack what the kernels need. */
export const driver = { darwin: 'metal', win32: 'd3d12' }[process.platform as string] ?? 'vulkan';
const through = { metal: 'Metal', d3d12: 'Direct3D 12', vulkan: 'Vulkan' }[driver]!;

/** What the shaders of tfjs count on. The limits are those that WebGPU guarantees. */
const FEATURE = 'core-features-and-limits';
const LIMITS: Readonly<Record<string, number>> = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
};
export const limitNames = Object.keys(LIMITS);

/** What a WebGPU adapter says of itself, as far as it is read here. */
export interface Adapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly isFallbackAdapter: boolean;
  };
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
}

export function factsOf({ info, features, limits }: Adapter): AdapterFacts {
  return {
    name: info.description || info.device || `${info.vendor} ${info.architecture}`,
    through,
    software: info.isFallbackAdapter,
    features: [...features],
    limits: Object.fromEntries(limitNames.map((name) => [name, limits[name]])),
  };
}

/** e.g. "GPU, NVIDIA GeForce RTX 4090, Vulkan" or "CPU by a software adapter, SwiftShader" */
export const deviceName = ({ name, through, software }: AdapterFacts): string =>
  software ? `CPU by a software adapter, ${name.replace(/gpu|cuda|metal|vulkan/gi, '…')}` : `GPU, ${name}, ${through}`;

const OTHERWISE = 'otherwise --device wasm runs everywhere';

/** Why kernels cannot run on this adapter; null: they can. */
export function unfit({ name, features, limits }: AdapterFacts): Refusal | null {
  const cure = `update the driver or use another GPU; ${OTHERWISE}`;
  if (!features.includes(FEATURE)) return { reason: `the adapter ${name} lacks the feature ${FEATURE}`, cure };
  const low = limitNames.find((limit) => !(limits[limit] >= LIMITS[limit]));
  if (!low) return null;
  return { reason: `the adapter ${name} has ${low} ${limits[low]}, and ${LIMITS[low]} is needed`, cure };
}

export const noAdapter: Refusal = {
  reason: `WebGPU finds no adapter: there is no GPU with a ${through} driver`,
  cure: `install the driver of the GPU (on Linux mesa-vulkan-drivers or NVIDIA’s); ${OTHERWISE}`,
};

let answer: AdapterFacts | Refusal | undefined;

/** Asked once per process, in a process of its own: what a driver prints, or breaks, stays there. Takes about 0.2 s. */
export function askAdapter(): AdapterFacts | Refusal {
  answer ??= ask();
  return answer;
}

function ask(): AdapterFacts | Refusal {
  const dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  const program = `
    const { create } = await import(${JSON.stringify(dawn)});
    const adapter = await create(['backend=${driver}']).requestAdapter({ powerPreference: 'high-performance' });
    const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
    const limits = adapter && Object.fromEntries(${JSON.stringify(limitNames)}.map((name) => [name, adapter.limits[name]]));
    const info = { vendor, architecture, device, description, isFallbackAdapter };
    console.log('\\n' + JSON.stringify(adapter && { info, features: [...adapter.features], limits }));`;
  try {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    });
    const adapter = JSON.parse(output.trim().split('\n').at(-1)!);
    if (adapter === null) return noAdapter;
    const facts = factsOf(adapter);
    return unfit(facts) ?? facts;
  } catch (error) {
    const detail = String((error as { stderr?: string }).stderr ?? error);
    const line = detail.split('\n').find((text) => /error|warning/i.test(text)) ?? detail.split('\n')[0];
    return {
      reason: `WebGPU does not start (${line.trim()})`,
      cure: `npm install webgpu, then update the driver of the GPU; ${OTHERWISE}`,
    };
  }
}
