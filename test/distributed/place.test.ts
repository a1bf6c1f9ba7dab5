import assert from 'node:assert/strict';
import { parseRendezvous, placeFromEnvironment } from '../../runtime/distributed/place.ts';
import { slurmHosts, slurmScript } from '../../runtime/distributed/slurm.ts';
import { batchNormGroup, singleRank } from '../../runtime/engine/ranks.ts';

describe('the place of a rank', () => {
  const torchrun = {
    RANK: '5',
    WORLD_SIZE: '8',
    LOCAL_RANK: '1',
    LOCAL_WORLD_SIZE: '4',
    MASTER_ADDR: 'a',
    MASTER_PORT: '29500',
  };

  it("is what torchrun's variables say; its own store has their port", () => {
    const place = { rank: 5, size: 8, localRank: 1, localSize: 4 };
    const at = (port: number) => ({ ...place, meeting: { kind: 'tcp', host: 'a', port } });
    assert.deepEqual(placeFromEnvironment(torchrun), at(29500));
    assert.deepEqual(placeFromEnvironment({ ...torchrun, TORCHELASTIC_USE_AGENT_STORE: 'True' }), at(29501));
  });

  it('is none without variables, and for one of one', () => {
    assert.equal(placeFromEnvironment({}), undefined);
    assert.equal(placeFromEnvironment({ RANK: '0', WORLD_SIZE: '1' }), undefined);
    assert.equal(placeFromEnvironment({ SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '1' }), undefined);
  });

  it("is what SLURM's variables say, at the first machine of the step", () => {
    const env = {
      SLURM_STEP_ID: '0',
      SLURM_STEP_NUM_TASKS: '16',
      SLURM_STEP_NUM_NODES: '2',
      SLURM_PROCID: '9',
      SLURM_LOCALID: '1',
      SLURM_STEP_NODELIST: 'gpu[017-018]',
      SLURM_JOB_ID: '20123',
    };
    const meeting = { kind: 'tcp', host: 'gpu017', port: 40173 };
    assert.deepEqual(placeFromEnvironment(env), { rank: 9, size: 16, localRank: 1, localSize: 8, meeting });
  });

  it('is refused when the variables do not fit', () => {
    assert.throws(() => placeFromEnvironment({ ...torchrun, RANK: '8' }), /RANK 8 of WORLD_SIZE 8/);
    assert.throws(() => placeFromEnvironment({ ...torchrun, RANK: 'x' }), /RANK is "x"/);
    assert.throws(() => placeFromEnvironment({ ...torchrun, WORLD_SIZE: undefined }), /WORLD_SIZE is not set/);
    assert.throws(() => placeFromEnvironment({ ...torchrun, MASTER_PORT: undefined }), /where the ranks meet/);
  });

  it('has a rendezvous by port, folder, or environment', () => {
    assert.deepEqual(parseRendezvous('tcp://node1:29500', {}), { kind: 'tcp', host: 'node1', port: 29500 });
    assert.deepEqual(parseRendezvous('[::1]:80', {}), { kind: 'tcp', host: '::1', port: 80 });
    assert.deepEqual(parseRendezvous('file:///shared/a%20b', {}), { kind: 'file', folder: '/shared/a b' });
    assert.deepEqual(parseRendezvous('env', torchrun), { kind: 'tcp', host: 'a', port: 29500 });
    for (const wrong of ['node1', 'tcp://node1', 'tcp://node1:99999', 'http://node1:80/x']) {
      assert.throws(() => parseRendezvous(wrong, {}), /neither tcp/);
    }
  });
});

describe('SLURM', () => {
  it('writes lists of machines short; they are read back', () => {
    assert.deepEqual(slurmHosts('n1'), ['n1']);
    assert.deepEqual(slurmHosts('gpu[08-11,3],login,x[1-2]-ib'), [
      'gpu08',
      'gpu09',
      'gpu10',
      'gpu11',
      'gpu3',
      'login',
      'x1-ib',
      'x2-ib',
    ]);
    assert.deepEqual(slurmHosts(''), []);
  });

  it('gets a script that starts a launcher per machine and queues the job again', () => {
    const script = slurmScript({
      name: 'swav',
      nodes: 4,
      ranks: 8,
      gpus: 8,
      time: '72:00:00',
      comment: "it's mine",
      out: '/runs/swav one',
      command: ['pipe', 'run', 'swav.json', 'epochs=5', 'size_crops=[224, 96]'],
    });
    const lines = script.split('\n');
    assert.equal(lines[0], '#!/bin/bash');
    for (const line of [
      '#SBATCH --nodes=4',
      '#SBATCH --ntasks-per-node=1',
      '#SBATCH --gpus-per-node=8',
      '#SBATCH --time=72:00:00',
      "#SBATCH --comment='it'\\''s mine'",
      '#SBATCH --signal=B:USR1@120',
      '#SBATCH --requeue',
      "srun --kill-on-bad-exit=1 pipe run swav.json epochs=5 'size_crops=[224, 96]' --ranks 8 --out '/runs/swav one' &",
      'trap requeue USR1',
    ]) {
      assert.ok(lines.includes(line), `${line}\nis not in\n${script}`);
    }
    assert.ok(!script.includes('--mem='));
  });
});

describe('groups of batch norm', () => {
  const ranks = (rank: number, size: number) => ({
    ...singleRank,
    rank,
    size,
    gatherNow: (_values: Float32Array, members: readonly number[]) => Float32Array.from(members),
  });
  const members = (setting: boolean | { group_size: number }, rank: number, size: number) => {
    const group = batchNormGroup(setting, ranks(rank, size));
    return group && [...group.gather(new Float32Array(1))];
  };

  it('are all ranks, ranks of equal place, or none', () => {
    assert.deepEqual(members(true, 1, 3), [0, 1, 2]);
    assert.deepEqual(members({ group_size: 2 }, 5, 6), [4, 5]);
    assert.deepEqual(members({ group_size: 9 }, 0, 2), [0, 1]);
    assert.equal(members(false, 1, 4), undefined);
    assert.equal(members({ group_size: 1 }, 1, 4), undefined);
    assert.equal(members(true, 0, 1), undefined);
    assert.throws(() => members({ group_size: 4 }, 0, 6), /groups of 4 do not come out even with 6 ranks/);
  });
});
