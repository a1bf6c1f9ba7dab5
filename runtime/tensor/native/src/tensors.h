// Data in and out of tensors, and what can be asked of one.
#pragma once
#include <ATen/ops/empty.h>

#include <cstring>

#include "handles.h"

namespace bridge {

inline c10::ScalarType scalarTypeFrom(napi_env env, napi_value value) {
  const int64_t type = toInt(env, value);
  if (type < 0 || type >= int64_t(c10::ScalarType::NumOptions)) throw Misuse("there is no scalar type " + std::to_string(type));
  return c10::ScalarType(type);
}

/// fromBuffer(typed array, shape, scalar type, device) → handle; copies
inline napi_value fromBuffer(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const Bytes bytes(env, values[0]);
  const auto options = at::TensorOptions().dtype(scalarTypeFrom(env, values[2]));
  const c10::Device device(toString(env, values[3]));
  at::Tensor tensor = at::empty(toInts(env, values[1]), options.device(c10::kCPU));
  if (tensor.nbytes() != bytes.length)
    throw Misuse("the tensor takes " + std::to_string(tensor.nbytes()) + " bytes, the array has " + std::to_string(bytes.length));
  if (bytes.length) std::memcpy(tensor.data_ptr(), bytes.data, bytes.length);
  if (!device.is_cpu()) tensor = tensor.to(device);
  return js(env, owner.handles.put(std::move(tensor)));
}

/// readInto(handle, typed array): row-major order, whatever the strides
inline napi_value readInto(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const Bytes bytes(env, values[1]);
  const at::Tensor tensor = owner.handles.get(env, values[0]).cpu().contiguous();
  if (tensor.nbytes() != bytes.length)
    throw Misuse("the tensor has " + std::to_string(tensor.nbytes()) + " bytes, the array " + std::to_string(bytes.length));
  if (bytes.length) std::memcpy(bytes.data, tensor.data_ptr(), bytes.length);
  return nullptr;
}

inline napi_value releaseTensor(napi_env env, Environment& owner, const napi_value* values, size_t) {
  owner.handles.release(env, values[0]);
  return nullptr;
}

/// keep(handle) → handle
inline napi_value keepTensor(napi_env env, Environment& owner, const napi_value* values, size_t) {
  owner.handles.keep(env, values[0]);
  return values[0];
}

/// openScope() → mark
inline napi_value openScope(napi_env env, Environment& owner, const napi_value*, size_t) {
  return js(env, double(owner.handles.openScope()));
}

/// closeScope(mark)
inline napi_value closeScope(napi_env env, Environment& owner, const napi_value* values, size_t) {
  owner.handles.closeScope(toInt(env, values[0]));
  return nullptr;
}

inline napi_value shapeOf(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const auto sizes = owner.handles.get(env, values[0]).sizes();
  return jsArray(env, sizes.size(), [&](size_t i) { return js(env, double(sizes[i])); });
}

inline napi_value scalarTypeOf(napi_env env, Environment& owner, const napi_value* values, size_t) {
  return js(env, double(int(owner.handles.get(env, values[0]).scalar_type())));
}

/// isContiguous(handle, memory format)
inline napi_value isContiguous(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const auto format = c10::MemoryFormat(toInt(env, values[1]));
  return jsBool(env, owner.handles.get(env, values[0]).is_contiguous(format));
}

/// Whether nothing else (no view, no other handle) reads this tensor's memory, so that it may be written to.
inline napi_value isExclusive(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const at::Tensor& tensor = owner.handles.get(env, values[0]);
  return jsBool(env, tensor.use_count() == 1 && tensor.storage().use_count() == 1);
}

inline napi_value liveHandles(napi_env env, Environment& owner, const napi_value*, size_t) {
  return js(env, double(owner.handles.live()));
}

}  // namespace bridge
