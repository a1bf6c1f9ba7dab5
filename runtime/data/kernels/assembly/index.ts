/**
 * Image kernels over a caller's shared memory. Images are packed bytes, one or three channels, rows tight. Arithmetic
 * follows Pillow 9.4 operation by operation, so that results are equal bit for bit. A kernel touches the bytes that
 * its arguments name and no others; it keeps no state and no data segment, so any number of threads may run it on one
 * memory.
 */
export { resizeCoefficients } from './coefficients';
export { resizeRows } from './resize-rows';
export { resizeColumns } from './resize-columns';
export { nearestOffsets, gather } from './nearest';
export { affineFixed, affineDouble, affineSmooth } from './affine';
export { copyRows, mirrorRows, grayToRgb } from './rows';
export { blendConstant } from './blend';
export { lumaSum, saturation, grayscale } from './luma';
export { hue } from './hue';
export { solarize, maskBytes, lookUp, extrema, histogram } from './pointwise';
export { sharpness } from './sharpness';
export { boxRadius, blur } from './blur';
export { labFloats } from './lab';
export { normalizeBytes, normalizeFloats } from './floats';
