/** Decodes PNG: ../decoder.ts reads the chunks, lays out the memory and calls these. */
export { inflate } from './inflate';
export { fromColours, fromGray, fromRgba } from './rgb';
export { unfilter } from './unfilter';
