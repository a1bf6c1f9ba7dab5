export { accumulateFilter, convolveRegion } from './conv';
export { depthwiseGrad } from './depthwise';
export { packColumns, packFilterTransposed } from './pack';
export { addRelu, clip, normGradRows, reluGrad, scaleRows, sgdStep } from './pointwise';
export { maxPoolGrad, sumPoolGrad } from './pool';
export { channelMeans, channelVariances, gradientSums, sumOfSquares } from './sums';
