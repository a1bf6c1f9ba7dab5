// Specs that are not run, each with the reason. A pattern is matched against the full name of the spec.
const everywhere = [
  {
    pattern: /^div \w+ \{\} gradient: (Tensor1D with int32|1d<int32> with 1d<bool>)/,
    reason: 'integers carry no gradient',
  },
  { pattern: /^depthwiseConv2d gradients .* throws error on dilations > 1/, reason: 'dilated gradients work here' },
];
const exclusions = {
  cpu: [],
  wasm: [],
  torch: [
    { pattern: /^maxPool.* ignores NaNs/, reason: 'NaN goes through max pooling, as in PyTorch: it should be seen' },
    {
      pattern: /^conv2dTranspose .* input=8x8x8,output=4x4x8,f=8,s=1/,
      reason: 'the gradient given is larger than the output that it is the gradient of: libtorch refuses it',
    },
  ],
};

/** @returns why the spec is not run on this backend; null: it is run */
export function reasonToExclude(backend, name) {
  return [...everywhere, ...exclusions[backend]].find(({ pattern }) => pattern.test(name))?.reason ?? null;
}
