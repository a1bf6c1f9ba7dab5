import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assignStreams } from '../../runtime/engine/lanes.ts';
import { runGraph } from '../../runtime/engine/run.ts';
import { sizeLanes } from '../../runtime/engine/size-lanes.ts';
import { checkPipeline, openPipeline } from '../../runtime/pipeline/open.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { DeviceStreams } from '../../runtime/tensor/types.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';
import { recordedStreams } from './fixtures/streams.ts';

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
    const streams = recordedStreams();
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
    assert.deepEqual(streams.log, [
      'run copy',
      'mark copy: batch',
      'main waits for copy: batch',
      'main reads 1 of others',
      'run main',
      'run main',
      'run main',
      'mark main: event forward',
      'mark main: event forward', // when the hooks are done
      'branch-1 waits for copy: batch',
      'branch-1 waits for main: event forward',
      'branch-1 reads 1 of others',
      'run branch-1',
      'run branch-1',
      'run branch-1',
      'mark branch-1: target',
      'main waits for branch-1: target',
      'main reads 1 of others',
      'run main',
      'main waits for branch-1: target',
      'run main',
      'run main',
      'run main',
    ]);
  });

  /** A step of a pipeline that ships, small; the weights after it. */
  async function step(pipeline: string, changes: readonly string[], streams?: DeviceStreams, document: object = {}) {
    return withFolder(async (out) => {
      const overrides = ['train_images=8', 'test_images=8', 'batch_size=8', 'epochs=1', 'run.evaluate=[]', ...changes];
      const opened = await openPipeline({ extends: pipeline, hooks: [], ...document }, overrides, {});
      const result = await runGraph(await checkPipeline(opened), {
        out,
        backend: await openBackend('wasm'),
        types: opened.registry,
        workers: 0,
        streams,
      });
      assert.equal(result.iteration, 1);
      return readFile(join(result.checkpoint!, 'model.safetensors'));
    });
  }

  const CROPS = ['num_crops=[2,2,1]', 'size_crops=[32,20,16]', 'crop_scales=[[0.6,1],[0.3,0.6],[0.2,0.5]]'];

  it('crops of another size pass the trunk beside the others, and the head waits for all of them', async () => {
    const streams = recordedStreams();
    const weights = await step('quick/swav', CROPS, streams);
    assert.ok(weights.equals(await step('quick/swav', CROPS)), 'the weights are those of one stream');

    const { find, ordered } = streams;
    const [second, third] = [find('run main size 2'), find('run main size 3')];
    const layers = streams.items.filter(({ what }) => /^mark main: trunk size 1 /.test(what));
    assert.equal(layers.length, 20, 'normalisation layers of a ResNet-18');
    for (const [earlier, later] of [
      [layers[0], second],
      [layers.at(-1)!, second],
      [second, third],
    ]) {
      assert.ok(!ordered(earlier, later), 'the larger crops need not be done when the smaller begin');
      assert.ok(!ordered(later, earlier), 'nor the other way round');
    }
    const copied = find('run copy');
    for (const begun of [second, third]) assert.ok(ordered(copied, begun), 'the batch is there');

    const ends = [find('mark main size 2: trunk size 2'), find('mark main size 3: trunk size 3')];
    const head = find('run main', 1);
    for (const end of ends) assert.ok(ordered(end, head), 'the head has the features of all sizes');

    for (const { what, clock } of layers) {
      const name = what.split(' ').at(-1)!;
      const [own, next] = [2, 3].map((size) => find(`mark main size ${size}: trunk size ${size} ${name}`));
      assert.ok(own.clock.main >= clock.main && next.clock['main size 2'] >= own.clock['main size 2'], name);
    }
    const shared = streams.log.filter((line) => / reads /.test(line));
    assert.deepEqual(shared.slice(0, 5), [
      'main reads 3 of others',
      'main size 2 reads 1 of others',
      'main reads 1 of others',
      'main size 3 reads 1 of others',
      'main reads 1 of others',
    ]);
  });

  it('in evaluation sizes do not wait for one another at all', async () => {
    const { tf } = await openBackend('wasm');
    const streams = recordedStreams();
    const lanes = sizeLanes(streams, 'trunk', 'main');
    const images = tf.zeros([1]);
    for (const group of [0, 1]) lanes.run(group, images, () => ({ features: [images] }));
    images.dispose();
    assert.deepEqual(streams.log, [
      'mark main: trunk begins',
      'main size 2 waits for main: trunk begins',
      'main size 2 reads 1 of others',
      'run main size 2',
      'mark main size 2: trunk size 2',
      'main waits for main size 2: trunk size 2',
      'main reads 1 of others',
    ]);
  });

  it('a momentum branch runs beside losses that do not read it, after the hooks of forward', async () => {
    const streams = recordedStreams();
    const events: string[] = [];
    await withFolder((out) =>
      runDocument(
        classifier({
          nodes: {
            images: { type: 'dataset/shapes', length: 4, size: 8 },
            head: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 10 },
            slow: { type: 'model/momentum', of: ['trunk', 'head'], inputs: { images: 'batch.images' } },
            hard: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', label: 'batch.label' } },
            soft: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', target: 'target.target' } },
            target: { type: 'test/centered_target', inputs: { scores: 'slow.scores' } },
            loss: { type: 'test/sum', inputs: { losses: ['hard.loss', 'soft.loss'] } },
          },
          run: { epochs: 1 },
        }),
        out,
        {
          streams,
          onEvent: (event) => void (event.type === 'node' && events.push(`${event.stream} ${event.node}`)),
        },
      ),
    );
    const of = (node: string) => {
      const stream = events.find((line) => line.endsWith(` ${node}`))!.split(' ')[0];
      const own = events.filter((line) => line.startsWith(`${stream} `));
      return streams.find(`run ${stream}`, own.indexOf(`${stream} ${node}`));
    };
    const { ordered, find } = streams;
    const [student, slow, target, hard, soft] = ['trunk', 'slow/trunk', 'target', 'hard', 'soft'].map(of);
    assert.equal(slow.stream, 'branch-1');
    const moved = find('mark main: event forward', 1);
    assert.ok(ordered(student, slow) && ordered(moved, slow), 'hooks have moved the average');
    assert.ok(!ordered(slow, hard) && !ordered(hard, slow), 'a loss of the student alone runs beside it');
    assert.ok(ordered(target, soft), 'a loss that reads it does not');
    const last = streams.items.at(-1)!;
    assert.ok(ordered(target, last), 'all are done before the update');
  });

  it('a branch of the forward pass begins when the update before it is done', async () => {
    const streams = recordedStreams();
    await withFolder((out) =>
      runDocument(
        classifier({
          nodes: {
            images: { type: 'dataset/shapes', length: 8, size: 8 },
            noise: { type: 'test/pass', inputs: { x: 'trunk.features' } },
            other: { type: 'test/trunk', inputs: { images: 'batch.images' } },
            other_head: { type: 'test/head', inputs: { features: 'other.features' }, classes: 10 },
            first: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', label: 'batch.label' } },
            second: { type: 'test/cross_entropy', inputs: { scores: 'other_head.scores', label: 'batch.label' } },
            loss: { type: 'test/sum', inputs: { losses: ['first.loss', 'second.loss'] } },
          },
          run: { epochs: 1 },
        }),
        out,
        { streams },
      ),
    );
    const { ordered, find, items } = streams;
    const [one, two] = [0, 1].map((number) => find('mark main: begin of step', number));
    const branches = items.filter(({ what }) => what === 'run branch-1');
    assert.equal(branches.length, 6, 'trunk, head and loss, twice');
    assert.ok(ordered(one, branches[0]) && !ordered(two, branches[2]));
    assert.ok(ordered(two, branches[3]), 'the second step reads updated parameters');
    assert.ok(!ordered(find('run main'), branches[0]), 'the trunks run beside each other');
    const second = items.filter(({ what }) => what === 'run copy')[1];
    assert.ok(!ordered(two, second), 'the next batch is copied while the step before computes');
  });
});
