/** One rank of collectives.test.ts: joins, runs every collective, prints what it got. Arguments: rank, size, meeting place. */
import { openBackend } from '../../../runtime/tensor/backend.ts';
import { joinGloo } from '../../../runtime/tensor/backends/torch/collectives.ts';

const [rank, size] = process.argv.slice(2, 4).map(Number);
const place = process.argv[4];
const backend = await openBackend('torch', { threads: 1 });
const { tf } = backend;
const port = Number(place);
const group = await joinGloo({ rank, size, meet: port ? { host: '127.0.0.1', port } : { file: place }, timeout: 60 });
const x = tf.tensor2d([
  [rank, 1],
  [2, -rank],
]);
const before = backend.memory().tensors;
const sum = await group.allReduce(x, 'sum');
const mean = await group.allReduce(tf.transpose(x), 'mean');
const max = await group.allReduce(tf.scalar(rank, 'int32'), 'max');
const gathered = await group.allGather(x);
const numbers = await group.allGather(tf.scalar(rank * 10, 'int32'));
const from1 = await group.broadcast(x, 1);
await group.barrier();
console.log(
  JSON.stringify({
    sum: sum.arraySync(),
    mean: mean.arraySync(),
    max: max.arraySync(),
    gathered: gathered.arraySync(),
    numbers: numbers.arraySync(),
    from1: from1.arraySync(),
    unchanged: x.arraySync(),
    made: backend.memory().tensors - before,
    refused: await group.allReduce(tf.tensor1d([true]), 'max').then(
      () => '',
      (error: Error) => error.message,
    ),
  }),
);
// the others do not take part: it would wait for them
const alone = rank === 0 ? group.allReduce(x, 'sum') : Promise.reject(new Error('not asked'));
group.close();
const began = performance.now();
await alone.then(
  () => Promise.reject(new Error('a collective succeeded without the others')),
  () => undefined,
);
if (performance.now() - began > 10_000) throw new Error('a group that was left was waited for');
const closed = await group.barrier().then(
  () => '',
  (error: Error) => error.message,
);
if (!closed.includes('closed')) throw new Error(`a closed group answers '${closed}'`);
