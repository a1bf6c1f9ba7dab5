/** One rank of collectives.ts: mean ms of an all-reduce of so many floats. Arguments: floats, rounds, shared or sockets. */
import { joinGroup } from '../../runtime/distributed/group.ts';

const [floats, rounds] = process.argv.slice(2, 4).map(Number);
const { RANK, WORLD_SIZE, MASTER_PORT } = process.env;
const group = await joinGroup({
  rank: Number(RANK),
  size: Number(WORLD_SIZE),
  meeting: { kind: 'tcp', host: '127.0.0.1', port: Number(MASTER_PORT) },
  sharedMemory: process.argv[4] === 'shared',
});
const values = new Float32Array(floats).fill(group.rank + 1);
const expected = (group.size * (group.size + 1)) / 2;
const times: number[] = [];
for (let round = -2; round < rounds; round++) {
  const own = values.slice();
  await group.barrier();
  const start = performance.now();
  const sum = await group.reduce(own, 'sum');
  if (round >= 0) times.push(performance.now() - start);
  if (sum[0] !== expected || sum[floats - 1] !== expected) throw new Error(`the sum is ${sum[0]}, not ${expected}`);
}
times.sort((a, b) => a - b);
if (group.rank === 0) console.log(JSON.stringify({ median: times[times.length >> 1], fastest: times[0] }));
const now: number[] = [];
for (let round = 0; round < 200; round++) {
  const start = performance.now();
  group.gatherNow(new Float32Array(512), [...Array(group.size).keys()]);
  now.push(performance.now() - start);
}
now.sort((a, b) => a - b);
if (group.rank === 0) console.log(JSON.stringify({ gatherNow: now[100] }));
await group.close();
