import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import type { Place } from '../../runtime/distributed/place.ts';
import { workersFor } from '../../runtime/engine/loader.ts';
import { coresOf } from '../../runtime/pipeline/ranks.ts';

describe('the cores of a machine', () => {
  const cores = availableParallelism();
  const place = (localSize: number): Place => {
    return { rank: 3, size: 64, localRank: 0, localSize, meeting: { kind: 'tcp', host: 'localhost', port: 1 } };
  };
  const among = (localSize: number) => coresOf(place(localSize), 0).threads;

  it('are shared by its ranks, at least one each', () => {
    assert.equal(coresOf(undefined, 0).threads, undefined, 'a process that is alone has all');
    assert.equal(among(1), cores);
    assert.equal(among(cores), 1);
    assert.equal(among(2), Math.max(1, Math.floor(cores / 2)));
    assert.equal(among(10 * cores), 1);
  });

  it('are crowded beside other ranks and beside threads that decode images', () => {
    assert.equal(coresOf(undefined, 0).crowded, false);
    assert.equal(coresOf(undefined, 2).crowded, true);
    assert.equal(coresOf(undefined, -1).crowded, true);
    assert.equal(coresOf(place(1), 0).crowded, true);
  });

  it('are shared by the workers of its ranks, unless their number is said', () => {
    assert.equal(workersFor(-1, 1), Math.max(1, cores - 1));
    assert.equal(workersFor(-1, 10 * cores), 1);
    assert.equal(workersFor(0, 2), 0);
    assert.equal(workersFor(5, 2), 5);
  });
});
