import assert from 'node:assert/strict';
import { averageOverRanks } from '../../runtime/engine/average.ts';
import type { Ranks } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';
import { meetingRanks } from '../support/node-context.ts';
import { leakFree } from '../tensor/support.ts';
import { recordedStreams } from './fixtures/streams.ts';

describe('gradients averaged over ranks', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('cpu');
  });

  const numbers = (...values: number[]): Tensor => backend.tf.tensor1d(values);

  it('are the means, of all shapes, in the order given, however they are packed', () =>
    leakFree(backend, () =>
      backend.scopeAsync(async () => {
        for (const bytes of [4, 16, 1000]) {
          const of = async (ranks: Ranks) => {
            const averaging = averageOverRanks({ backend, ranks, streams: recordedStreams() }, bytes);
            const own = [[1, 2], [3], [4, 5, 6]].map((values) => numbers(...values.map((v) => v * (ranks.rank + 1))));
            for (const gradient of own) averaging.add(gradient);
            const means = averaging.means();
            backend.tf.dispose(own); // the caller's, as soon as they are on their way
            return means;
          };
          for (const means of await Promise.all(meetingRanks(backend, 2).map(of))) {
            assert.deepEqual(
              means.map((mean) => [...mean.dataSync()]),
              [[1.5, 3], [4.5], [6, 7.5, 9]],
            );
          }
        }
      }),
    ));

  it('go on their way while backward goes on, on a stream of their own', async () => {
    const { tf } = backend;
    const streams = recordedStreams();
    const asked: string[] = [];
    const ranks = {
      size: 2,
      rank: 0,
      allReduce: async (x: Tensor) => {
        asked.push(`exchange ${x.size}`);
        return x.clone();
      },
    } as unknown as Ranks;
    await leakFree(backend, async () => {
      const weights = [3, 2, 1].map((size) => backend.scope(() => tf.variable(tf.ones([size])) as Variable));
      await backend.scopeAsync(async () => {
        const watched = (x: Tensor, name: string): Tensor =>
          tf.customGrad((value) => ({
            value: tf.clone(value as Tensor),
            gradFunc: (dy: Tensor) => {
              asked.push(`backward of ${name}`);
              return tf.clone(dy);
            },
          }))(x);
        const tape = backend.openTape();
        let x: Tensor = tf.scalar(1);
        for (const [i, weight] of weights.entries()) x = watched(tf.mul(tf.sum(weight), x), `layer ${i + 1}`);
        const averaging = averageOverRanks({ backend, ranks, streams }, 4);
        const order: number[] = [];
        const gradients = tape.backward(x, weights, (gradient, index) => {
          order.push(index);
          averaging.add(gradient);
        });
        assert.ok(gradients.every((gradient) => gradient && !gradient.isDisposed));
        assert.deepEqual(order, [2, 1, 0]);
        const means = await averaging.means();
        assert.deepEqual(
          means.map((mean) => [...mean.dataSync()]),
          [[6], [3, 3], [2, 2, 2]],
        );
      });
      tf.dispose(weights);
    });
    assert.deepEqual(asked, [
      'backward of layer 3',
      'backward of layer 2',
      'exchange 1', // when the next gradient has no room beside it
      'backward of layer 1',
      'exchange 2',
      'exchange 3',
    ]);
    const { find, ordered } = streams;
    for (const number of [1, 2, 3]) {
      const sent = find('run communication', number - 1);
      assert.ok(ordered(find(`mark main: gradients ${number}`), sent), 'the gradients are there');
      assert.ok(streams.log.includes(`main waits for communication: means ${number}`));
    }
    assert.ok(!ordered(find('run communication'), find('mark main: gradients 2')), 'main does not wait for the first');
  });

  it('what fails is told by means(), and nothing else', async () => {
    const ranks = {
      size: 2,
      rank: 0,
      allReduce: async () => {
        throw new Error('rank 1 is gone');
      },
    } as unknown as Ranks;
    await leakFree(backend, async () => {
      const averaging = averageOverRanks({ backend, ranks, streams: recordedStreams() }, 4);
      const own = [numbers(1), numbers(2)];
      for (const gradient of own) averaging.add(gradient);
      await new Promise((resolve) => setImmediate(resolve));
      await assert.rejects(averaging.means(), /^Error: rank 1 is gone$/);
      backend.tf.dispose(own);
    });
  });
});
