/** tfjs's channels-last axes as libtorch's channels-first ones: views over the same memory, no copies. */
import type { Handle } from '../../native/addon.ts';
import { aten } from './aten.ts';

const permute = aten('permute');

/** [N, H, W, C] → [N, C, H, W]; three spatial axes alike */
export const channelsFirst = (x: Handle, rank: 4 | 5 = 4): Handle =>
  permute(x, rank === 4 ? [0, 3, 1, 2] : [0, 4, 1, 2, 3]);

/** [N, C, H, W] → [N, H, W, C] */
export const channelsLast = (x: Handle, rank: 4 | 5 = 4): Handle =>
  permute(x, rank === 4 ? [0, 2, 3, 1] : [0, 2, 3, 4, 1]);

/** [kh, kw, I, O] → [O, I, kh, kw] */
export const filterFirst = (w: Handle, rank: 4 | 5 = 4): Handle =>
  permute(w, rank === 4 ? [3, 2, 0, 1] : [4, 3, 0, 1, 2]);

/** [O, I, kh, kw] → [kh, kw, I, O] */
export const filterLast = (w: Handle, rank: 4 | 5 = 4): Handle =>
  permute(w, rank === 4 ? [2, 3, 1, 0] : [2, 3, 4, 1, 0]);
