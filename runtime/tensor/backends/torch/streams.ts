/** Streams and events of a device that has them, by the add-on. */
import type { Addon } from '../../native/addon.ts';
import type { DeviceStreams, Tensor } from '../../types.ts';

type StreamCalls = Pick<
  Addon,
  'currentStream' | 'pooledStream' | 'setStream' | 'recordEvent' | 'waitEvent' | 'releaseEvent' | 'recordStream'
>;

/**
 * `main` is the stream that is current now; others are taken from the device's pool when they are first named. A mark is
 * an event; one of the same stream and name takes its place, so that there are as many events as names.
 * @param handlesOf every piece of memory that holds a tensor's values
 */
export function torchStreams(
  addon: StreamCalls,
  device: string,
  handlesOf: (tensor: Tensor) => readonly number[],
): DeviceStreams {
  const streams = new Map([['main', addon.currentStream(device)]]);
  const events = new Map<string, number>();
  const streamOf = (name: string): number => {
    let stream = streams.get(name);
    if (stream === undefined) {
      stream = addon.pooledStream(device);
      streams.set(name, stream);
    }
    return stream;
  };
  const keyOf = (stream: string, name: string): string => JSON.stringify([stream, name]);

  return {
    run(name, work) {
      const before = addon.setStream(device, streamOf(name));
      const back = () => void addon.setStream(device, before);
      let result: ReturnType<typeof work>;
      try {
        result = work();
      } catch (error) {
        back();
        throw error;
      }
      if (result instanceof Promise) return result.finally(back) as typeof result;
      back();
      return result;
    },
    record(stream, name) {
      const key = keyOf(stream, name);
      const old = events.get(key);
      events.set(key, addon.recordEvent(device, streamOf(stream)));
      if (old !== undefined) addon.releaseEvent(old);
      return { stream, name };
    },
    wait(stream, mark) {
      const event = events.get(keyOf(mark.stream, mark.name));
      if (event === undefined) throw new Error(`nothing was marked as ${mark.name} on the stream ${mark.stream}`);
      addon.waitEvent(event, device, streamOf(stream));
    },
    share(stream, tensors) {
      for (const tensor of tensors) {
        for (const handle of handlesOf(tensor)) addon.recordStream(handle, device, streamOf(stream));
      }
    },
  };
}
