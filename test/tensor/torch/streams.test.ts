/** What a device with queues is asked for. The add-on's calls are stood in for: nothing here needs libtorch, or a GPU. */
import assert from 'node:assert/strict';
import { torchStreams } from '../../../runtime/tensor/backends/torch/streams.ts';
import type { Tensor } from '../../../runtime/tensor/types.ts';

function device() {
  const log: string[] = [];
  let current = 0;
  let [streams, events] = [0, 0];
  const live = new Set<number>();
  return {
    log,
    live,
    current: () => current,
    calls: {
      currentStream: () => current,
      pooledStream: () => ++streams,
      setStream(_device: string, stream: number) {
        const before = current;
        current = stream;
        return before;
      },
      recordEvent(_device: string, stream: number) {
        log.push(`event ${events} on ${stream}`);
        live.add(events);
        return events++;
      },
      waitEvent(event: number, _device: string, stream: number) {
        assert.ok(live.has(event), 'the event is there');
        log.push(`${stream} waits for event ${event}`);
      },
      releaseEvent: (event: number) => void live.delete(event),
      recordStream: (handle: number, _device: string, stream: number) => void log.push(`${stream} reads ${handle}`),
    },
  };
}

describe('streams of the torch backend', () => {
  const tensor = (...handles: number[]) => ({ handles }) as unknown as Tensor;
  const open = (fake: ReturnType<typeof device>) =>
    torchStreams(fake.calls, 'cuda', (one) => (one as unknown as { handles: number[] }).handles);

  it('puts work on a stream of its name, and gives the one before back: nested, failed, and awaited', async () => {
    const fake = device();
    const streams = open(fake);
    assert.equal(
      streams.run('copy', () => streams.run('main', fake.current)),
      0,
    );
    const copy = streams.run('copy', fake.current);
    assert.equal(copy, 1);
    assert.equal(fake.current(), 0);
    assert.throws(() =>
      streams.run('copy', () => {
        throw new Error('x');
      }),
    );
    assert.equal(fake.current(), 0);
    const work = streams.run('branch-1', async () => {
      await Promise.resolve();
      return fake.current();
    });
    assert.equal(fake.current(), 2);
    assert.equal(await work, 2);
    assert.equal(fake.current(), 0);
    await assert.rejects(streams.run('copy', async () => Promise.reject(new Error('x'))));
    assert.equal(fake.current(), 0);
  });

  it('marks are events, which the streams that wait are told of; as many as names', () => {
    const fake = device();
    const streams = open(fake);
    for (let step = 0; step < 3; step++) {
      streams.wait('main', streams.record('copy', 'batch'));
      streams.wait('branch-1', streams.record('main', 'event forward'));
    }
    assert.deepEqual(fake.log.slice(0, 4), [
      'event 0 on 1',
      '0 waits for event 0',
      'event 1 on 0',
      '2 waits for event 1',
    ]);
    assert.deepEqual(fake.log.at(-1), '2 waits for event 5');
    assert.equal(fake.live.size, 2);
    assert.throws(() => streams.wait('main', { stream: 'copy', name: 'other' }), /nothing was marked as other/);
  });

  it('memory of another stream is kept for the one that reads it, in every format', () => {
    const fake = device();
    open(fake).share('copy', [tensor(7, 8), tensor(9)]);
    assert.deepEqual(fake.log, ['1 reads 7', '1 reads 8', '1 reads 9']);
  });
});
