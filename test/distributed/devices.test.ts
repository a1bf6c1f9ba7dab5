import assert from 'node:assert/strict';
import { deviceOfChild, deviceOfRank, takeDevice } from '../../runtime/distributed/devices.ts';
import { launch } from './fixtures/launch.ts';

describe('the GPU of a rank', () => {
  const each = (choose: (visible: string | undefined, localRank: number) => string, visible?: string) =>
    [0, 1, 2].map((localRank) => choose(visible, localRank));

  it('is the one of its place on the machine, or in the list of those that are visible', () => {
    for (const choose of [deviceOfChild, deviceOfRank]) {
      assert.deepEqual(each(choose), ['0', '1', '2']);
      assert.deepEqual(each(choose, '4, 5,GPU-8932f937'), ['4', '5', 'GPU-8932f937']);
      assert.deepEqual(each(choose, '4,5'), ['4', '5', ''], 'none rather than one of another rank');
      assert.deepEqual(each(choose, ''), ['', '', '']);
    }
  });

  it('is the only visible one where another launcher has chosen it, and goes to one rank where ours chooses', () => {
    assert.deepEqual(each(deviceOfRank, '3'), ['3', '3', '3']);
    assert.deepEqual(each(deviceOfChild, '3'), ['3', '', '']);
  });

  it('is all that the process sees from then on', () => {
    const meeting = { kind: 'tcp', host: 'h', port: 1 } as const;
    const env: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: '4,5' };
    const place = { rank: 9, size: 10, localRank: 1, localSize: 2, meeting };
    takeDevice(place, env);
    assert.equal(env.CUDA_VISIBLE_DEVICES, '5');
    takeDevice(place, env);
    assert.equal(env.CUDA_VISIBLE_DEVICES, '5');
  });

  it('is missed where others have one; all on the CPU, or none, is right', async () => {
    const ends = await launch('./group-rank.ts', 3, ['devices']);
    for (const { stdout, stderr } of ends) {
      const [cpu, gpu, mixed] = JSON.parse(stdout || stderr);
      assert.deepEqual([cpu, gpu], ['nothing failed', 'nothing failed']);
      assert.match(
        mixed,
        /^rank 1 computes on the CPU, the others on a GPU: .* CUDA_VISIBLE_DEVICES lists fewer\. Start/,
      );
    }
  }).timeout(60_000);
});
