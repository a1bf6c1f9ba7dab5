import assert from 'node:assert/strict';
import { createSampler, type SamplerOptions, stepsPerEpoch } from '../../runtime/data/samplers.ts';
import { subsample, subsampleBalanced } from '../../runtime/data/subsample.ts';
import { createRandom } from '../../runtime/random.ts';
import { casesOf } from '../nodes/oracle-case.ts';

/** All indices of a rank in one epoch, from a position on. */
function indices(options: SamplerOptions, permutation?: readonly number[], start = 0): number[] {
  const sampler = createSampler(options);
  const order = permutation && Uint32Array.from(permutation);
  if (order) assert.equal(order.length, sampler.permuted);
  return Array.from({ length: Math.max(0, sampler.length - start) }, (_, i) => sampler.at(start + i, order));
}

describe('samplers give the recorded indices', () => {
  casesOf('samplers/distributed_samplers.json').forEach(({ params, inputs, outputs }, i) => {
    const { dataset_len: length, world_size: ranks, batch_size, start_iter } = params;
    const start = start_iter * batch_size;
    it(`distributed_samplers ${i}: ${JSON.stringify(params)}`, () => {
      for (let rank = 0; rank < ranks; rank++) {
        const stateful = { kind: 'stateful', length, rank, ranks } as const;
        assert.deepEqual(indices(stateful, inputs.randperm_per_rank_len, start), outputs.stateful_per_rank[rank]);
        assert.deepEqual(indices(stateful, undefined, start), outputs.deterministic_per_rank[rank]);
        assert.equal(createSampler(stateful).length, outputs.stateful_len);
        for (const { shuffle, drop_last, indices: want, len } of outputs.torch_distributed_sampler_per_rank[rank]) {
          const options = { kind: 'distributed', length, rank, ranks, uneven: drop_last ? 'drop' : 'repeat' } as const;
          assert.deepEqual(indices(options, shuffle ? inputs.randperm_dataset_len : undefined), want);
          assert.equal(createSampler(options).length, len);
        }
      }
    });
  });

  it('names a rank that is none', () => {
    assert.throws(() => createSampler({ kind: 'distributed', length: 4, rank: 2, ranks: 2 }), /rank 2 of 2/);
  });

  it('counts the steps of an epoch', () => {
    assert.deepEqual([stepsPerEpoch(10, 4, false), stepsPerEpoch(10, 4, true), stepsPerEpoch(8, 4, false)], [3, 2, 2]);
  });
});

describe('sub-samples', () => {
  casesOf('samplers/sub_sampling.json').forEach(({ params, outputs }, i) => {
    it(`sub_sampling ${i}: sizes, no repetition, classes, and a disjoint second part`, () => {
      const { num_samples: count, skip_samples: skip, seed } = params;
      const labels: number[] | undefined = params.labels;
      const draw = (options: { count: number; skip?: number }) => {
        const random = createRandom(seed);
        return Array.from(
          labels
            ? subsampleBalanced(Int32Array.from(labels), options, random)
            : subsample(params.total_num_samples, options, random),
        );
      };
      const chosen = draw({ count, skip });
      assert.equal(chosen.length, outputs.indices.length);
      assert.equal(new Set(chosen).size, count);
      assert.deepEqual(draw({ count, skip }), chosen);
      if (labels) {
        const classes = (positions: number[]) => positions.map((k) => labels[k]);
        assert.deepEqual(classes(chosen), classes(outputs.indices));
      }
      if (skip > 0) {
        const first = draw({ count: skip });
        assert.deepEqual(
          chosen.filter((k) => first.includes(k)),
          [],
        );
      }
    });
  });

  it('say when there are too few images', () => {
    const random = createRandom(0);
    assert.throws(() => subsample(5, { count: 4, skip: 2 }, random), /4 after 2 of 5/);
    assert.throws(
      () => subsampleBalanced(Int32Array.of(0, 0, 1), { count: 4 }, random),
      /class 1 has 1 images; 2 after 0/,
    );
  });

  it('depend on the seed', () => {
    const draw = (seed: number) => Array.from(subsample(1000, { count: 20 }, createRandom(seed)));
    assert.notDeepEqual(draw(0), draw(1));
  });
});
