import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

/**
 * With probability p all of: posterize to 4…8 bits, sharpness by 0.1…1.9, solarize at 0…256, autocontrast. The
 * augmentation of PIRL, Misra and van der Maaten 2019, arXiv:1912.01991, as VISSL has it.
 */
export default defineNode({
  type: 'transform/random_photometric',
  role: 'transform',
  description: 'Posterize, sharpness, solarize and autocontrast together, with some probability (PIRL).',
  aliases: ['ImgPilRandomPhotometric'],
  params: T.Object({ p: probability(0.66, 'probability of changing a view'), ...indices }),
  ...ports,
  show: ['p'],
  facts: (facts, params, problem) => onBytes(facts, params.indices, problem),
  create: ({ params: { p }, pixels }) => ({
    view: (view, random) => {
      if (random.next() >= p) return view;
      pixels.posterize(view, 4 + random.integer(5));
      pixels.sharpness(view, random.uniform(0.1, 1.9));
      pixels.solarize(view, random.integer(257));
      pixels.autocontrast(view);
      return view;
    },
  }),
});
