import assert from 'node:assert/strict';
import { assignStreams } from '../../runtime/engine/lanes.ts';
import type { DeviceStreams, StreamMark } from '../../runtime/tensor/types.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

/** Writes down what is asked of it. */
function recordingStreams(): { log: string[]; streams: DeviceStreams } {
  const log: string[] = [];
  return {
    log,
    streams: {
      run(stream, work) {
        log.push(`run ${stream}`);
        return work();
      },
      record(stream, name): StreamMark {
        log.push(`mark ${stream}: ${name}`);
        return { stream, name };
      },
      wait: (stream, mark) => void log.push(`${stream} waits for ${mark.stream}: ${mark.name}`),
    },
  };
}

describe('streams', () => {
  const nodes = (...list: [string, string[], string?][]) =>
    list.map(([name, reads, stream = '']) => ({ name, reads, stream }));

  it('a chain stays on one', () => {
    const streams = assignStreams(nodes(['a', []], ['b', ['a']], ['c', ['b']]));
    assert.deepEqual([...streams.values()], ['main', 'main', 'main']);
  });

  it('branches get their own, and the join goes on with its first input', () => {
    const streams = assignStreams(nodes(['a', []], ['b', ['a']], ['c', ['a']], ['d', ['b', 'c']]));
    assert.deepEqual(Object.fromEntries(streams), { a: 'main', b: 'main', c: 'branch-1', d: 'main' });
  });

  it('independent roots get their own', () => {
    const streams = assignStreams(nodes(['a', []], ['b', []], ['c', ['b']], ['d', ['c', 'a']]));
    assert.deepEqual(Object.fromEntries(streams), { a: 'main', b: 'branch-1', c: 'branch-1', d: 'branch-1' });
  });

  it('a named stream is taken, and gone on with', () => {
    const streams = assignStreams(nodes(['a', []], ['b', ['a'], 'mine'], ['c', ['b']], ['d', ['a']]));
    assert.deepEqual(Object.fromEntries(streams), { a: 'main', b: 'mine', c: 'mine', d: 'main' });
  });

  it('of a batch are told what to run and what to wait for', async () => {
    const { log, streams } = recordingStreams();
    await withFolder((out) =>
      runDocument(
        classifier({
          nodes: {
            images: { type: 'dataset/shapes', length: 4, size: 8 },
            key_trunk: { type: 'test/trunk', inputs: { images: 'batch.images' }, frozen: true },
            key_head: { type: 'test/head', inputs: { features: 'key_trunk.features' }, frozen: true, classes: 10 },
            target: { type: 'test/centered_target', inputs: { scores: 'key_head.scores' } },
            loss: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', target: 'target.target' } },
          },
          run: { epochs: 1 },
        }),
        out,
        { streams },
      ),
    );
    assert.deepEqual(log, [
      'run copy',
      'mark copy: batch',
      'main waits for copy: batch',
      'run main',
      'run main',
      'run main',
      'mark main: event forward',
      'branch-1 waits for copy: batch',
      'branch-1 waits for main: event forward',
      'run branch-1',
      'run branch-1',
      'run branch-1',
      'mark branch-1: target',
      'main waits for branch-1: target',
      'run main',
      'main waits for branch-1: target',
      'run main',
      'run main',
      'run main',
    ]);
  });
});
