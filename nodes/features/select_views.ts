import type { PortValue } from '../../graph/port.ts';
import { viewsPerGroup } from '../../graph/views.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/**
 * The images of some views only, as momentum encoders see them: the two large crops of SwAV's or DINO's many. Views are
 * counted over all groups; what is left of each group stays one tensor, view after view.
 */
export default defineNode({
  type: 'features/select_views',
  description: 'Images of some views of a batch: the large crops of a multi-crop.',
  role: 'compute',
  params: T.Object({
    views: T.Array(T.Integer({ minimum: 0 }), {
      default: [0, 1],
      minItems: 1,
      uniqueItems: true,
      description: 'positions of the views, ascending',
    }),
  }),
  inputs: {
    images: batch.image(['K*N', 'H', 'W', 'C'], { list: true, description: 'view-major, one tensor per size' }),
  },
  outputs: { images: batch.image(['A*N', 'H', 'W', 'C'], { list: true }) },
  show: ['views'],
  infer: ({ params, inputs, problem }): Record<string, Partial<PortValue>> => {
    const counts = viewsPerGroup(inputs.images?.[0]);
    if (!counts) return {};
    const all = counts.reduce((a, b) => a + b, 0);
    const beyond = params.views.find((view) => view >= all);
    if (beyond !== undefined) {
      const message = `there is no view ${beyond}: images have ${all} views here, counted from 0`;
      problem({ at: 'views', message });
      return {};
    }
    const shapes = inputs.images![0]!.shapes!;
    const chosen = choose(counts, params.views).flatMap((views, group) => {
      const [[, ...rows], ...sizes] = shapes[group]!;
      if (views.length === 0) return [];
      return [rows.length > 0 ? [[views.length, ...rows], ...sizes] : shapes[group]!];
    });
    return { images: { shapes: chosen } };
  },
  create: ({ params, inputs, tf, name }) => {
    const counts = viewsPerGroup(inputs.images?.[0]);
    if (!counts) throw new Error(`${name} cannot tell the number of views. Feed it from a collator`);
    const chosen = choose(counts, params.views);
    return ({ images }) => ({
      images: (images as readonly Tensor[]).flatMap((group, i) => {
        if (chosen[i].length === 0) return [];
        if (chosen[i].length === counts[i]) return [group];
        const rows = group.shape[0] / counts[i];
        const parts = chosen[i].map((view) =>
          tf.slice(group, [view * rows, 0, 0, 0], [rows, ...group.shape.slice(1)] as never),
        );
        return [parts.length === 1 ? parts[0] : tf.concat(parts, 0)];
      }),
    });
  },
});

/** Positions within each group of the views chosen. */
function choose(counts: readonly number[], views: readonly number[]): readonly (readonly number[])[] {
  let first = 0;
  return counts.map((count) => {
    const start = first;
    first += count;
    return views.filter((view) => view >= start && view < first).map((view) => view - start);
  });
}
