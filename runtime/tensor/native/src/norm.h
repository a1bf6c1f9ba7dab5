// Batch normalisation over the last axis in memory, together with the sum and the ReLU behind it: libtorch passes over
// the values fourteen times for what takes eight (with a sum: seventeen, eleven). Registered beside libtorch's own
// operators, as pipe::…, for float32 and bfloat16 on the processor. Ioffe and Szegedy 2015, arXiv:1502.03167.
#pragma once
#include <ATen/ATen.h>
#include <ATen/native/TensorIterator.h>
#include <torch/library.h>

#include <cstring>
#include <tuple>
#include <vector>

// the widest vectors that the processor has are chosen when the add-on is loaded
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define PIPE_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PIPE_VECTORS
#endif
#define PIPE_INLINE inline __attribute__((always_inline))

namespace norm {

using at::Tensor;
using Optional = c10::optional<Tensor>;

/// The bits of a bfloat16.
struct Half {
  uint16_t bits;
};

PIPE_INLINE float load(float value) { return value; }
PIPE_INLINE float load(Half value) {
  const uint32_t bits = uint32_t(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}
PIPE_INLINE void store(float& to, float value) { to = value; }
/// To the nearest, ties to even; what is no number stays none.
PIPE_INLINE void store(Half& to, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  to.bits = uint16_t(value != value ? 0x7fc0 : rounded);
}

enum class Then { nothing, relu, addRelu };

/// Values in the order of memory, [rows, channels]. Loops run over periods, whole rows of at least 128 values, so that
/// few channels are as quick as many; blocks of rows are what threads share out, the same for any number of threads, and
/// short, since sums within them are of float32.
struct Shape {
  int64_t channels, rows, period, block;

  explicit Shape(const Tensor& x) {
    channels = x.size(1);
    rows = x.numel() / channels;
    const int64_t together = std::max<int64_t>(1, 128 / channels);
    period = channels * together;
    const int64_t wanted = std::min<int64_t>(256, std::max<int64_t>(32, 8192 / channels));
    block = (wanted + together - 1) / together * together;
  }
  int64_t blocks() const { return (rows + block - 1) / block; }
  int64_t begin(int64_t i) const { return i * block * channels; }
  int64_t size(int64_t i) const { return std::min(block, rows - i * block) * channels; }
};

/// f(i) for 0 ≤ i < count on libtorch's own threads: a loop compiled here would bring an OpenMP of its own.
template <class F>
void parallel(int64_t count, F f) {
  Tensor each = at::empty({count}, at::kByte);
  const char* const first = static_cast<const char*>(each.data_ptr());
  auto iterator = at::TensorIterator::nullary_op(each);
  iterator.for_each(
      [&](char** data, const int64_t* strides, int64_t n, int64_t m) {
        for (int64_t j = 0; j < m; j++)
          for (int64_t i = 0; i < n; i++) f(data[0] + i * strides[0] + j * strides[1] - first);
      },
      1);
}

template <class T>
PIPE_INLINE void momentsOf(const T* __restrict x, int64_t size, int64_t period, const float* __restrict shift,
                           float* __restrict sum, float* __restrict squares) {
  for (int64_t at = 0; at < size; at += period) {
    const int64_t width = std::min(period, size - at);
    const T* __restrict row = x + at;
    for (int64_t c = 0; c < width; c++) {
      const float d = load(row[c]) - shift[c];
      sum[c] += d;
      squares[c] += d * d;
    }
  }
}

template <Then then, class T>
PIPE_INLINE void applyTo(const T* __restrict x, const T* __restrict addend, T* __restrict y, int64_t size, int64_t period,
                         const float* __restrict a, const float* __restrict b) {
  for (int64_t at = 0; at < size; at += period) {
    const int64_t width = std::min(period, size - at);
    for (int64_t c = 0; c < width; c++) {
      float value = load(x[at + c]) * a[c] + b[c];
      if (then == Then::addRelu) value += load(addend[at + c]);
      // as libtorch's: what is no number passes
      store(y[at + c], then != Then::nothing && value < 0 ? 0.0f : value);
    }
  }
}

/// `passed` receives dy where the ReLU behind a sum passed; a ReLU without one is found by computing its input again.
template <Then then, class T>
PIPE_INLINE void sumsOf(const T* __restrict dy, const T* __restrict x, const T* __restrict y, T* __restrict passed,
                        int64_t size, int64_t period, const float* __restrict a, const float* __restrict b,
                        const float* __restrict mean, float* __restrict sum, float* __restrict products) {
  for (int64_t at = 0; at < size; at += period) {
    const int64_t width = std::min(period, size - at);
    for (int64_t c = 0; c < width; c++) {
      const float value = load(x[at + c]);
      float g = load(dy[at + c]);
      if (then == Then::relu) g = value * a[c] + b[c] <= 0 ? 0.0f : g;
      if (then == Then::addRelu) {
        g = load(y[at + c]) <= 0 ? 0.0f : g;
        store(passed[at + c], g);
      }
      sum[c] += g;
      products[c] += g * (value - mean[c]);
    }
  }
}

/// dx = p·g + q·(x − mean) + r
template <Then then, class T>
PIPE_INLINE void gradientTo(const T* __restrict g, const T* __restrict x, T* __restrict dx, int64_t size, int64_t period,
                            const float* __restrict a, const float* __restrict b, const float* __restrict mean,
                            const float* __restrict p, const float* __restrict q, const float* __restrict r) {
  for (int64_t at = 0; at < size; at += period) {
    const int64_t width = std::min(period, size - at);
    for (int64_t c = 0; c < width; c++) {
      const float value = load(x[at + c]);
      float passed = load(g[at + c]);
      if (then == Then::relu) passed = value * a[c] + b[c] <= 0 ? 0.0f : passed;
      store(dx[at + c], p[c] * passed + (q[c] * (value - mean[c]) + r[c]));
    }
  }
}

// a function for each type and use, since templates have no clones
#define PIPE_MOMENTS(T)                                                                                             \
  PIPE_VECTORS static void moments(const T* x, int64_t size, int64_t period, const float* shift, float* sum,        \
                                   float* squares) {                                                                \
    momentsOf(x, size, period, shift, sum, squares);                                                                \
  }
#define PIPE_PASSES(T, name, then)                                                                                  \
  PIPE_VECTORS static void apply##name(const T* x, const T* addend, T* y, int64_t size, int64_t period,             \
                                       const float* a, const float* b) {                                            \
    applyTo<then>(x, addend, y, size, period, a, b);                                                                \
  }                                                                                                                 \
  PIPE_VECTORS static void sums##name(const T* dy, const T* x, const T* y, T* passed, int64_t size, int64_t period, \
                                      const float* a, const float* b, const float* mean, float* sum,                \
                                      float* products) {                                                            \
    sumsOf<then>(dy, x, y, passed, size, period, a, b, mean, sum, products);                                        \
  }
#define PIPE_GRADIENT(T, name, then)                                                                                \
  PIPE_VECTORS static void gradient##name(const T* g, const T* x, T* dx, int64_t size, int64_t period,              \
                                          const float* a, const float* b, const float* mean, const float* p,        \
                                          const float* q, const float* r) {                                         \
    gradientTo<then>(g, x, dx, size, period, a, b, mean, p, q, r);                                                  \
  }
#define PIPE_TYPE(T)                          \
  PIPE_MOMENTS(T)                             \
  PIPE_PASSES(T, Plain, Then::nothing)        \
  PIPE_PASSES(T, Relu, Then::relu)            \
  PIPE_PASSES(T, AddRelu, Then::addRelu)      \
  PIPE_GRADIENT(T, Plain, Then::nothing)      \
  PIPE_GRADIENT(T, Relu, Then::relu)
PIPE_TYPE(float)
PIPE_TYPE(Half)

template <class T>
T* values(const Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}

/// Values of each channel, repeated over a period.
struct Channels {
  std::vector<float> list;
  template <class F>
  Channels(const Shape& shape, F f) : list(shape.period) {
    for (int64_t c = 0; c < shape.period; c++) list[c] = c < shape.channels ? f(c) : list[c - shape.channels];
  }
  operator const float*() const { return list.data(); }
};

/// Sums over all rows of two values per channel: in float32 within a block, in float64 from there.
struct Sums {
  const Shape& shape;
  std::vector<float> parts;
  explicit Sums(const Shape& shape) : shape(shape), parts(2 * shape.period * shape.blocks()) {}
  float* first(int64_t block) { return parts.data() + 2 * shape.period * block; }
  float* second(int64_t block) { return first(block) + shape.period; }
  std::vector<double> total() const {
    std::vector<double> result(2 * shape.channels);
    constexpr int64_t kColumns = 64;
    parallel((shape.channels + kColumns - 1) / kColumns, [&](int64_t columns) {
      const int64_t first = columns * kColumns, end = std::min(first + kColumns, shape.channels);
      const float* part = parts.data();
      for (int64_t i = 0; i < 2 * shape.blocks(); i++, part += shape.period) {
        double* const to = result.data() + (i & 1) * shape.channels;
        for (int64_t at = 0; at < shape.period; at += shape.channels)
          for (int64_t c = first; c < end; c++) to[c] += part[at + c];
      }
    });
    return result;
  }
};

/// y = x·a + b
struct Line {
  Channels a, b;
  Line(const Shape& shape, const float* scale, const float* offset, const float* mean, const float* invStd)
      : a(shape, [=](int64_t c) { return scale[c] * invStd[c]; }),
        b(shape, [=](int64_t c) { return offset[c] - mean[c] * scale[c] * invStd[c]; }) {}
};

template <class T>
std::tuple<Tensor, Tensor, Tensor> forward(const Tensor& x, const Tensor& addend, const Tensor& scale, const Tensor& offset,
                                           const Tensor& runningMean, const Tensor& runningVar, double momentum,
                                           double eps, bool relu) {
  const Shape shape(x);
  const int64_t n = shape.channels;
  const T* const from = values<T>(x);
  // differences to the first row: squares of values far from 0 would lose digits
  const Channels shift(shape, [&](int64_t c) { return load(from[c]); });
  Sums sums(shape);
  parallel(shape.blocks(), [&](int64_t i) {
    moments(from + shape.begin(i), shape.size(i), shape.period, shift, sums.first(i), sums.second(i));
  });
  const std::vector<double> total = sums.total();
  const Tensor mean = at::empty({n}, at::kFloat), invStd = at::empty({n}, at::kFloat);
  float *const means = values<float>(mean), *const inverse = values<float>(invStd);
  float *const keptMean = values<float>(runningMean), *const keptVar = values<float>(runningVar);
  const double count = double(shape.rows);
  for (int64_t c = 0; c < n; c++) {
    const double away = total[c] / count, middle = shift.list[c] + away;
    double variance = total[n + c] / count - away * away;
    if (variance < 0) variance = 0;
    means[c] = float(middle);
    inverse[c] = float(1 / std::sqrt(variance + eps));
    keptMean[c] = float((1 - momentum) * keptMean[c] + momentum * middle);
    keptVar[c] = float((1 - momentum) * keptVar[c] + momentum * variance * count / (count - 1));
  }
  const Line line(shape, values<float>(scale), values<float>(offset), means, inverse);
  const Tensor y = at::empty_like(x);
  T* const to = values<T>(y);
  const T* const other = addend.defined() ? values<T>(addend) : nullptr;
  void (*apply)(const T*, const T*, T*, int64_t, int64_t, const float*, const float*) = applyPlain;
  if (other) apply = applyAddRelu;
  else if (relu) apply = applyRelu;
  parallel(shape.blocks(), [&](int64_t i) {
    const int64_t at = shape.begin(i);
    apply(from + at, other ? other + at : nullptr, to + at, shape.size(i), shape.period, line.a, line.b);
  });
  return {y, mean, invStd};
}

/// dx, dScale, dOffset, and the gradient of the addend where `y`, the result of the sum, is given
template <class T>
std::tuple<Tensor, Tensor, Tensor, Tensor> backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                                    const Tensor& offset, const Tensor& mean, const Tensor& invStd,
                                                    bool relu) {
  const Shape shape(x);
  const int64_t n = shape.channels;
  const T *const input = values<T>(x), *const given = values<T>(dy);
  const float *const means = values<float>(mean), *const inverse = values<float>(invStd);
  const float* const gamma = values<float>(scale);
  const Line line(shape, gamma, values<float>(offset), means, inverse);
  const Channels middle(shape, [=](int64_t c) { return means[c]; });
  const bool sum = y.defined();
  const Tensor dAddend = sum ? at::empty_like(x) : Tensor();
  const T* const output = sum ? values<T>(y) : nullptr;
  T* const passed = sum ? values<T>(dAddend) : nullptr;

  Sums sums(shape);
  void (*addUp)(const T*, const T*, const T*, T*, int64_t, int64_t, const float*, const float*, const float*, float*,
                float*) = sumsPlain;
  if (sum) addUp = sumsAddRelu;
  else if (relu) addUp = sumsRelu;
  parallel(shape.blocks(), [&](int64_t i) {
    const int64_t at = shape.begin(i);
    addUp(given + at, input + at, sum ? output + at : nullptr, sum ? passed + at : nullptr, shape.size(i), shape.period,
          line.a, line.b, middle, sums.first(i), sums.second(i));
  });
  const std::vector<double> total = sums.total();
  const Tensor dScale = at::empty({n}, at::kFloat), dOffset = at::empty({n}, at::kFloat), dx = at::empty_like(x);
  float *const dScales = values<float>(dScale), *const dOffsets = values<float>(dOffset);
  for (int64_t c = 0; c < n; c++) {
    dOffsets[c] = float(total[c]);
    dScales[c] = float(total[n + c] * inverse[c]);
  }
  // dx = a·(g − Σg/n − x̂·Σ(g·x̂)/n), as one line in g and x − mean: around 0 the rounding of r stays small
  const double count = double(shape.rows);
  const Channels q(shape, [&](int64_t c) {
    return float(-double(gamma[c]) * inverse[c] * inverse[c] * inverse[c] * total[n + c] / count);
  });
  const Channels r(shape, [&](int64_t c) { return float(-double(line.a.list[c]) * total[c] / count); });
  void (*finish)(const T*, const T*, T*, int64_t, int64_t, const float*, const float*, const float*, const float*,
                 const float*, const float*) = gradientPlain;
  if (relu && !sum) finish = gradientRelu;
  const T* const gradient = sum ? passed : given;
  T* const to = values<T>(dx);
  parallel(shape.blocks(), [&](int64_t i) {
    const int64_t at = shape.begin(i);
    finish(gradient + at, input + at, to + at, shape.size(i), shape.period, line.a, line.b, middle, line.a, q, r);
  });
  return {dx, dScale, dOffset, dAddend};
}

/// Both in one type and in rows.
inline Tensor rowsOf(const Tensor& t, const Tensor& like) {
  TORCH_CHECK(t.dim() == 2 || t.dim() == 4, "batch norm takes 2 or 4 axes, not ", t.dim());
  TORCH_CHECK(t.numel() > 0, "batch norm has no values: the shape is ", t.sizes());
  TORCH_CHECK(t.sizes() == like.sizes(), "shapes differ: ", t.sizes(), " and ", like.sizes());
  return t.to(like.scalar_type()).contiguous(t.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}
inline Tensor rowsOf(const Optional& t, const Tensor& like) { return t.has_value() ? rowsOf(*t, like) : Tensor(); }

inline Tensor perChannel(const Tensor& t, const Tensor& x) {
  TORCH_CHECK(t.scalar_type() == at::kFloat && t.numel() == x.size(1) && t.is_contiguous(),
              "batch norm takes one float32 for each of ", x.size(1), " channels");
  return t;
}
inline Tensor perChannel(const Optional& t, const Tensor& x, double otherwise) {
  return t.has_value() ? perChannel(*t, x) : at::full({x.size(1)}, otherwise, at::kFloat);
}

template <class F, class G>
auto typed(const Tensor& x, F whole, G half) {
  if (x.scalar_type() == at::kFloat) return whole();
  TORCH_CHECK(x.scalar_type() == at::kBFloat16, "batch norm is for float32 and bfloat16");
  return half();
}

inline std::tuple<Tensor, Tensor, Tensor> batchNorm(const Tensor& x, const Optional& addend, const Optional& scale,
                                                    const Optional& offset, const Tensor& runningMean,
                                                    const Tensor& runningVar, const Optional& batches, double momentum,
                                                    double eps, bool relu) {
  const Tensor rows = rowsOf(x, x), other = rowsOf(addend, x);
  const Tensor scales = perChannel(scale, x, 1), offsets = perChannel(offset, x, 0);
  perChannel(runningMean, x);
  perChannel(runningVar, x);
  if (batches.has_value()) {
    TORCH_CHECK(batches->scalar_type() == at::kInt && batches->numel() == 1, "the count of batches is one int32");
    ++*values<int32_t>(*batches);
  }
  return typed(
      x, [&] { return forward<float>(rows, other, scales, offsets, runningMean, runningVar, momentum, eps, relu); },
      [&] { return forward<Half>(rows, other, scales, offsets, runningMean, runningVar, momentum, eps, relu); });
}

inline std::tuple<Tensor, Tensor, Tensor, Tensor> gradients(const Tensor& dy, const Tensor& x, const Optional& y,
                                                            const Optional& scale, const Optional& offset,
                                                            const Tensor& mean, const Tensor& invStd, bool relu) {
  const Tensor rows = rowsOf(x, x), given = rowsOf(dy, x), output = rowsOf(y, x);
  const Tensor scales = perChannel(scale, x, 1), offsets = perChannel(offset, x, 0);
  perChannel(mean, x);
  perChannel(invStd, x);
  return typed(
      x, [&] { return backward<float>(given, rows, output, scales, offsets, mean, invStd, relu); },
      [&] { return backward<Half>(given, rows, output, scales, offsets, mean, invStd, relu); });
}

inline std::tuple<Tensor, Tensor, Tensor> batchNormBackward(const Tensor& dy, const Tensor& x, const Optional& scale,
                                                            const Optional& offset, const Tensor& mean,
                                                            const Tensor& invStd, bool relu) {
  const auto [dx, dScale, dOffset, none] = gradients(dy, x, {}, scale, offset, mean, invStd, relu);
  return {dx, dScale, dOffset};
}

inline std::tuple<Tensor, Tensor, Tensor, Tensor> batchNormAddReluBackward(const Tensor& dy, const Tensor& x,
                                                                           const Tensor& y, const Optional& scale,
                                                                           const Tensor& mean, const Tensor& invStd) {
  return gradients(dy, x, y, scale, {}, mean, invStd, false);
}

}  // namespace norm

TORCH_LIBRARY_FRAGMENT(pipe, library) {
  library.def(
      "batch_norm(Tensor x, Tensor? addend, Tensor? scale, Tensor? offset, Tensor(a!) running_mean, "
      "Tensor(b!) running_var, Tensor(c!)? batches, float momentum, float eps, bool relu) -> (Tensor, Tensor, Tensor)",
      norm::batchNorm);
  library.def(
      "batch_norm_backward(Tensor dy, Tensor x, Tensor? scale, Tensor? offset, Tensor mean, Tensor inv_std, bool relu) "
      "-> (Tensor, Tensor, Tensor)",
      norm::batchNormBackward);
  library.def(
      "batch_norm_add_relu_backward(Tensor dy, Tensor x, Tensor y, Tensor? scale, Tensor mean, Tensor inv_std) "
      "-> (Tensor, Tensor, Tensor, Tensor)",
      norm::batchNormAddReluBackward);
}
