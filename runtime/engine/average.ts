/** Gradients of a rank → their means over the ranks, exchanged on a stream of their own while backward goes on. */
import type { Ranks } from '../node.ts';
import type { DeviceStreams, Tensor, TensorBackend } from '../tensor/types.ts';
import { COMMUNICATION, MAIN } from './lanes.ts';

/** bytes that are exchanged at once, as PyTorch's DistributedDataParallel does by default */
const BUCKET = 25 * 2 ** 20;

interface Host {
  readonly backend: Pick<TensorBackend, 'tf' | 'scope'>;
  readonly ranks: Ranks;
  readonly streams: DeviceStreams;
}

export interface Averaging {
  /** A gradient that is whole, on main; every rank must give the same shapes in the same order. The caller frees it. */
  add(gradient: Tensor): void;
  /** The means, in the order in which gradients were added, ready on main. */
  means(): Promise<Tensor[]>;
}

/** @param bytes that are exchanged at once */
export function averageOverRanks({ backend, ranks, streams }: Host, bytes = BUCKET): Averaging {
  const { tf, scope } = backend;
  const under: Promise<Tensor[]>[] = [];
  let bucket: Tensor[] = [];
  let size = 0;

  const exchange = (gradients: readonly Tensor[]): Promise<Tensor[]> => {
    const number = under.length + 1;
    streams.wait(COMMUNICATION, streams.record(MAIN, `gradients ${number}`));
    streams.share(COMMUNICATION, gradients);
    // on the stream is what is asked for at once: others go on while the ranks talk
    const [flat, mean] = streams.run(COMMUNICATION, () => {
      const flat = tf.keep(scope(() => tf.concat(gradients.map((gradient) => tf.reshape(gradient, [-1])))));
      return [flat, ranks.allReduce(flat, 'mean')] as const;
    });
    const shapes = gradients.map(({ shape }) => shape);
    return mean.then(
      (values) => {
        flat.dispose();
        const parts = streams.run(COMMUNICATION, () => apart(backend, values, shapes));
        values.dispose();
        streams.wait(MAIN, streams.record(COMMUNICATION, `means ${number}`));
        streams.share(MAIN, parts);
        return parts;
      },
      (error) => {
        flat.dispose();
        throw error;
      },
    );
  };
  const send = (): void => {
    if (bucket.length === 0) return;
    const sent = exchange(bucket);
    sent.catch(() => undefined); // told by means()
    under.push(sent);
    bucket = [];
    size = 0;
  };

  return {
    add(gradient) {
      if (size + gradient.size * 4 > bytes) send();
      bucket.push(gradient);
      size += gradient.size * 4;
    },
    async means() {
      send();
      return (await Promise.all(under)).flat();
    },
  };
}

/** A flat tensor → tensors of these shapes, one after another. */
export function apart(
  { tf, scope }: Pick<TensorBackend, 'tf' | 'scope'>,
  flat: Tensor,
  shapes: readonly (readonly number[])[],
): Tensor[] {
  let start = 0;
  return scope(() =>
    shapes.map((shape) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const part = tf.reshape(tf.slice(flat, [start], [size]), [...shape]);
      start += size;
      return part;
    }),
  );
}

export function inBuckets<T extends { readonly size: number }>(tensors: readonly T[]): T[][] {
  const buckets: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    if (bytes + tensor.size * 4 > BUCKET) {
      buckets.push([]);
      bytes = 0;
    }
    buckets.at(-1)!.push(tensor);
    bytes += tensor.size * 4;
  }
  return buckets;
}
