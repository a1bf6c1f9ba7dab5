/** Streams for the groups of one model node: images of another size need not wait for those before them. */
import type { GroupLanes } from '../tensor/model.ts';
import type { DeviceStreams } from '../tensor/types.ts';

/**
 * The first group stays on the node's stream, each other gets one that begins where the node does and that the node's
 * waits for in the end. Running statistics are moved by the groups in their order, so that they are those of one stream:
 * a normalisation layer waits for the same layer of the group before.
 */
export function sizeLanes(streams: DeviceStreams, node: string, stream: string): GroupLanes {
  const laneOf = (group: number): string => (group === 0 ? stream : `${stream} size ${group + 1}`);
  const begin = streams.record(stream, `${node} begins`);
  const passed = new Map<string, ReturnType<DeviceStreams['record']>>();
  return {
    run(group, images, work) {
      if (group === 0) return work();
      const lane = laneOf(group);
      streams.wait(lane, begin);
      streams.share(lane, [images]);
      const made = streams.run(lane, work);
      streams.wait(stream, streams.record(lane, `${node} size ${group + 1}`));
      streams.share(stream, Object.values(made).flat());
      return made;
    },
    normalise(group, layer, work) {
      const before = passed.get(layer);
      if (group > 0 && before) streams.wait(laneOf(group), before);
      const y = work();
      passed.set(layer, streams.record(laneOf(group), `${node} size ${group + 1} ${layer}`));
      return y;
    },
  };
}
