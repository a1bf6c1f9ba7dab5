/** Images mixed between the ranks, so that the statistics of a batch tell nothing of who is with whom (MoCo, arXiv:1911.05722). */
import type { Ranks } from '../node.ts';
import type { Random } from '../random.ts';
import type { Tensor, TensorApi } from '../tensor/types.ts';

type Group = Tensor | readonly Tensor[];

/**
 * What `compute` makes of a batch whose images were mixed between the ranks, back in the order and on the rank where they
 * came from. @param random the same on all ranks
 */
export async function mixedBetweenRanks<T extends Record<string, unknown>>(
  tf: TensorApi,
  ranks: Ranks,
  random: Random,
  images: Group,
  compute: (images: Group) => T,
): Promise<T> {
  if (ranks.size === 1) return compute(images);
  const orders = new Map<number, Int32Array>();
  const orderOf = (rows: number): Int32Array => {
    const all = rows * ranks.size;
    const known = orders.get(all) ?? Int32Array.from(random.fork(all).permutation(all));
    orders.set(all, known);
    return known;
  };
  const rowsAt = async (x: Tensor, places: (order: Int32Array) => Int32Array): Promise<Tensor> => {
    const rows = x.shape[0]!;
    const all = await ranks.allGather(x);
    const own = places(orderOf(rows)).slice(ranks.rank * rows, (ranks.rank + 1) * rows);
    const taken = tf.tidy(() => tf.gather(all, tf.tensor1d(own, 'int32')));
    all.dispose();
    return taken;
  };
  const each = async (value: unknown, places: (order: Int32Array) => Int32Array): Promise<unknown> =>
    Array.isArray(value)
      ? Promise.all(value.map((one: Tensor) => rowsAt(one, places)))
      : rowsAt(value as Tensor, places);
  const made = compute((await each(images, (order) => order)) as Group);
  const back: Record<string, unknown> = {};
  for (const [port, value] of Object.entries(made)) back[port] = await each(value, inverse);
  return back as T;
}

function inverse(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((from, to) => {
    places[from] = to;
  });
  return places;
}
