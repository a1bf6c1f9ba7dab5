import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, eachView, indices, ports, withForm } from './parts.ts';

/** Several copies of each view, which later transforms change independently. */
export default defineNode({
  type: 'transform/replicate',
  role: 'transform',
  description: 'Copies each view, for transforms that follow to make different ones.',
  aliases: ['ImgReplicatePil'],
  params: T.Object({
    num_times: T.Integer({ default: 2, minimum: 1, description: 'number of copies, the view itself included' }),
    ...indices,
  }),
  ...ports,
  show: ['num_times'],
  facts: (facts, { num_times, indices }, problem) => {
    checkIndices(facts, indices, problem);
    return eachView(facts, indices, (view) => Array.from({ length: num_times }, () => view));
  },
  create: ({ params: { num_times }, pixels }) => ({
    view: (view) => [view, ...Array.from({ length: num_times - 1 }, () => withForm(pixels.copy(view), view))],
  }),
});
