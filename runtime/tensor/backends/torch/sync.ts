import { setImmediate } from 'node:timers/promises';
import { addon, device } from './aten.ts';

/**
 * Resolves when the work queued on the device's current stream is done; other work of this thread goes on meanwhile. On
 * the processor everything is done at once.
 */
export async function sync(): Promise<void> {
  if (device === 'cpu') return;
  const event = addon.recordEvent(device, addon.currentStream(device));
  try {
    while (!addon.eventDone(event)) await setImmediate();
  } finally {
    addon.releaseEvent(event);
  }
}
