// Specs that are not run, each with the reason. A pattern is matched against the full name of the spec.
const everywhere = [
  {
    pattern: /^div \w+ \{\} gradient: (Tensor1D with int32|1d<int32> with 1d<bool>)/,
    reason: 'integers carry no gradient',
  },
  { pattern: /^depthwiseConv2d gradients .* throws error on dilations > 1/, reason: 'dilated gradients work here' },
  {
    pattern: /^avgPool .* gradient x=\[3,3,1\] f=\[3,3\] s=1 p=explicit/,
    reason:
      'tfjs divides by the whole window where the mean was over a part of it; here the gradient is the mean’s own',
  },
  {
    pattern: /^mirrorPad .* grad(ient with clones)?$/,
    reason: 'tfjs leaves out what comes back from the mirrored edges; here the gradient has it',
  },
];
const NO_COMPLEX = 'tfjs’s wasm package has no complex numbers, and training has no use for them';
const NO_TEXT = 'tfjs’s wasm package has no text tensors in this kernel';
const exclusions = {
  cpu: [],
  wasm: [
    {
      pattern:
        /^(abs|add|mul|sub|clone|concat\dd|onesLike|tensor|transpose|tensor with 0 in shape|encodeWeights) .*complex(?!64 shape)/i,
      reason: NO_COMPLEX,
    },
    { pattern: /^\dD I?R?FFT |^stft |^complex64 wasm \{\} tf\.|Mixed dtype tensors/, reason: NO_COMPLEX },
    {
      pattern: /^(tensor\.toString|tensor arraySync .* with a complex|util\.toNestedArray) .*complex/i,
      reason: NO_COMPLEX,
    },
    { pattern: /^(add|sub) .* upcasts when dtypes dont match/, reason: NO_COMPLEX },
    { pattern: /^ragged(Gather|Range|TensorToTensor) /, reason: 'no ragged tensors there' },
    {
      pattern:
        /should support string comparison|^fill .* string|^tile .* string|^sparseToDense .* string|^staticRegexReplace /,
      reason: NO_TEXT,
    },
    { pattern: /^squeeze .* (default|specific dimension|all ones|only ones)$/, reason: NO_TEXT },
    { pattern: /^tensor\.toString .* long string tensor verbose/, reason: NO_TEXT },
    {
      pattern: /^(fused )?conv2d .* (x=|basic|im2row|batch|gradient).*NCHW/,
      reason: 'that package computes NHWC alone, and so does this project',
    },
    {
      pattern: /^fused conv2d .* (broadcasted bias and relu|p=0 with bias$)|^fused matmul .* (2d bias|different rank)/,
      reason: 'its fused inference kernels take one bias per channel; nothing here calls them',
    },
    {
      pattern: /^fused depthwiseConv2D .* (basic with broadcasted bias and relu|with bias$)/,
      reason: 'its fused inference kernels take one bias per channel; nothing here calls them',
    },
    {
      pattern: /^conv2dTranspose .* input=8x8x8,output=4x4x8,f=8,s=1/,
      reason: 'the gradient given is larger than the output that it is the gradient of: refused',
    },
    { pattern: /^threshold .* otsu/, reason: 'its bincount returns another shape; image thresholds are not in use' },
    {
      pattern: /^pool .* fractional outputs default rounding/,
      reason: 'padding larger than the window is refused by ops',
    },
    { pattern: /^slice2d .* out of bounds/, reason: 'its slice does not check bounds' },
    { pattern: /^tensor .* Tensor2D (float32|int32) -> bool/, reason: 'it stores bool values as they are given' },
  ],
  tensorflow: [
    {
      pattern: /^tan .* numbers exceed float32 precision/,
      reason: 'TensorFlow’s tangent differs in the last bit there',
    },
    {
      pattern: /^conv2dTranspose .* input=8x8x8,output=4x4x8,f=8,s=1/,
      reason: 'the gradient given is larger than the output that it is the gradient of: TensorFlow refuses it',
    },
  ],
  webgpu: [
    {
      pattern: /^(acosh|asinh|atanh|sigmoid|softmax) .* propagates NaNs/i,
      reason: 'WGSL lets exp and log of what is no number be anything; SwiftShader makes it a number',
    },
    {
      pattern: /^(cos .* gradient|tan .* (gradients: Tensor2D|numbers exceed float32 precision))/,
      reason: 'WGSL promises sines and cosines to 2⁻¹¹ between -π and π, and nothing outside',
    },
    { pattern: /^fromPixels, mock canvas/, reason: 'there is no canvas in Node' },
    { pattern: /^gather .* throws when index is out of bound/, reason: 'indices stay on the GPU, unseen' },
    { pattern: /^time cpu .* simple upload/, reason: 'uploads are queued, not timed' },
  ],
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
