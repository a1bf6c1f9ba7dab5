/**
 * One rank of collectives.ts: median ms of an all-reduce of so many floats. Arguments: floats, rounds, and what reduces:
 * shared (the group, through shared memory), sockets (the group, through sockets) or torch (that backend's tensors).
 */
import { joinGroup } from '../../runtime/distributed/group.ts';
import { createRanks } from '../../runtime/distributed/ranks.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';

const [floats, rounds] = process.argv.slice(2, 4).map(Number);
const how = process.argv[4];
const { RANK, WORLD_SIZE, MASTER_PORT } = process.env;
const group = await joinGroup({
  rank: Number(RANK),
  size: Number(WORLD_SIZE),
  meeting: { kind: 'tcp', host: '127.0.0.1', port: Number(MASTER_PORT) },
  sharedMemory: how !== 'sockets',
});
const values = new Float32Array(floats).fill(group.rank + 1);
const expected = (group.size * (group.size + 1)) / 2;

/** reduces the values; its result tells the first and the last sum, untimed */
async function reducer(): Promise<() => Promise<() => Promise<Iterable<number>>>> {
  if (how !== 'torch') {
    return async () => {
      const sum = await group.reduce(values.slice(), 'sum');
      return async () => [sum[0], sum[floats - 1]];
    };
  }
  const backend = await openBackend('torch', { threads: 1 });
  const ranks = await createRanks(group, backend);
  const x = backend.tf.tensor1d(values);
  return async () => {
    const sum = await ranks.allReduce(x, 'sum');
    return async () => {
      const ends = backend.tf.tidy(() => backend.tf.gather(sum, backend.tf.tensor1d([0, floats - 1], 'int32')));
      sum.dispose();
      const read = await ends.data();
      ends.dispose();
      return read;
    };
  };
}

const reduce = await reducer();
const times: number[] = [];
for (let round = -2; round < rounds; round++) {
  await group.barrier();
  const start = performance.now();
  const ends = await reduce();
  if (round >= 0) times.push(performance.now() - start);
  const [first, last] = await ends();
  if (first !== expected || last !== expected) throw new Error(`the sums are ${first} and ${last}, not ${expected}`);
}
times.sort((a, b) => a - b);
if (group.rank === 0) console.log(JSON.stringify({ median: times[times.length >> 1], fastest: times[0] }));
if (how !== 'torch') {
  const now: number[] = [];
  for (let round = 0; round < 200; round++) {
    const start = performance.now();
    group.gatherNow(new Float32Array(512), [...Array(group.size).keys()]);
    now.push(performance.now() - start);
  }
  now.sort((a, b) => a - b);
  if (group.rank === 0) console.log(JSON.stringify({ gatherNow: now[100] }));
}
await group.close();
