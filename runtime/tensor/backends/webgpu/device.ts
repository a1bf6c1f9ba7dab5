/** The device: its limits raised to what the adapter has, its errors kept until somebody can be told. */
import { Missing } from '../../native/missing.ts';
import { type AdapterFacts, driver, factsOf, limitNames, noAdapter, unfit } from './adapter.ts';
import type { Dawn, Gpu, GpuDevice } from './dawn.ts';
import { catchPump, type Pump } from './pump.ts';

export interface OpenDevice {
  readonly device: GpuDevice;
  readonly facts: AdapterFacts;
  readonly adapterInfo: object;
  readonly gpu: Gpu;
  readonly pump: Pump;
  /** @throws the first error of the device since the last check: results of that time are worth nothing */
  check(): void;
}

/** Dawn's instance is freed with this object, whatever still runs on it: it must not be collected. */
const held: Gpu[] = [];

export async function openDevice(): Promise<OpenDevice> {
  const { create, globals } = (await import('webgpu' as string)) as Dawn;
  Object.assign(globalThis, globals); // tfjs's package looks for them where a browser has them
  const gpu = create([`backend=${driver}`]);
  held.push(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  const facts = adapter && factsOf(adapter);
  const refusal = facts ? unfit(facts) : noAdapter;
  if (!adapter || !facts || refusal) throw new Missing(refusal!.reason, refusal!.cure);

  const requiredLimits = Object.fromEntries(limitNames.map((name) => [name, facts.limits[name]]));
  const { result: device, pump } = await catchPump(() =>
    adapter.requestDevice({ requiredFeatures: ['core-features-and-limits'], requiredLimits }),
  );
  let failure: string | null = null;
  let lost: string | null = null;
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    failure ??= event.error.message;
  });
  void device.lost.then(({ reason, message }) => {
    lost = `the device is lost (${reason}): ${message}`;
  });
  const check = (): void => {
    const message = lost ?? failure;
    failure = null;
    if (message === null) return;
    throw new Error(
      `webgpu on ${facts.name}: ${message.trim()}; if memory ran out, a smaller batch_size or fewer crops help`,
    );
  };
  return { device, facts, adapterInfo: adapter.info, gpu, pump, check };
}
