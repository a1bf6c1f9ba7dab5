/** Decodes baseline JPEG: ../decoder.ts reads the headers, lays out the memory and calls these. */
export { buildTable } from './huffman';
export { writeGray, writeRgb } from './rgb';
export { decodeScan } from './scan';
