import { withBackend } from '../availability.ts';

/** A suite that needs libtorch. Where it is missing, the tests do not exist: their number and the reason are printed. */
export const withTorch = (title: string, define: () => void): void => withBackend('torch', title, define);
