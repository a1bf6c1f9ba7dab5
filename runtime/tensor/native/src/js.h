// Node-API values in and out, with C++ exceptions as the one way to fail.
#pragma once
#include <node_api.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridge {

/// A mistake of the caller, as opposed to an error that libtorch reports.
struct Misuse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void check(napi_status status, const char* what) {
  if (status != napi_ok) throw Misuse(std::string("expected ") + what);
}

inline napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(napi_typeof(env, value, &type), "a value");
  return type;
}

inline bool isAbsent(napi_env env, napi_value value) {
  const napi_valuetype type = typeOf(env, value);
  return type == napi_null || type == napi_undefined;
}

inline double toDouble(napi_env env, napi_value value) {
  double result;
  check(napi_get_value_double(env, value, &result), "a number");
  return result;
}

inline bool toBool(napi_env env, napi_value value) {
  bool result;
  check(napi_get_value_bool(env, value, &result), "true or false");
  return result;
}

/// A number without a fraction, a bigint, or a boolean.
inline int64_t toInt(napi_env env, napi_value value) {
  int64_t result;
  switch (typeOf(env, value)) {
    case napi_bigint: {
      bool lossless;
      check(napi_get_value_bigint_int64(env, value, &result, &lossless), "a 64-bit integer");
      if (!lossless) throw Misuse("expected an integer of at most 64 bits");
      return result;
    }
    case napi_boolean:
      return toBool(env, value);
    case napi_number: {
      const double number = toDouble(env, value);
      if (number != std::trunc(number)) throw Misuse("expected an integer, not " + std::to_string(number));
      if (!std::isfinite(number)) throw Misuse("expected a finite integer");
      check(napi_get_value_int64(env, value, &result), "an integer");
      return result;
    }
    default:
      throw Misuse("expected an integer");
  }
}

inline std::string toString(napi_env env, napi_value value) {
  size_t length;
  check(napi_get_value_string_utf8(env, value, nullptr, 0, &length), "a string");
  std::string result(length, '\0');
  check(napi_get_value_string_utf8(env, value, &result[0], length + 1, &length), "a string");
  return result;
}

template <class F>
void forEach(napi_env env, napi_value array, F visit) {
  uint32_t length;
  check(napi_get_array_length(env, array, &length), "an array");
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(napi_get_element(env, array, i, &element), "an array element");
    visit(element);
  }
}

inline std::vector<int64_t> toInts(napi_env env, napi_value array) {
  std::vector<int64_t> result;
  forEach(env, array, [&](napi_value element) { result.push_back(toInt(env, element)); });
  return result;
}

inline napi_value jsNull(napi_env env) {
  napi_value result;
  check(napi_get_null(env, &result), "null");
  return result;
}

inline napi_value js(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result), "a number");
  return result;
}

inline napi_value jsBool(napi_env env, bool value) {
  napi_value result;
  check(napi_get_boolean(env, value, &result), "a boolean");
  return result;
}

inline napi_value js(napi_env env, const std::string& value) {
  napi_value result;
  check(napi_create_string_utf8(env, value.data(), value.size(), &result), "a string");
  return result;
}

/// An array of `length` values, each made by `make(i)`.
template <class F>
napi_value jsArray(napi_env env, size_t length, F make) {
  napi_value result;
  check(napi_create_array_with_length(env, length, &result), "an array");
  for (size_t i = 0; i < length; i++) check(napi_set_element(env, result, i, make(i)), "an array element");
  return result;
}

/// The memory of a typed array.
struct Bytes {
  void* data;
  size_t length;

  Bytes(napi_env env, napi_value value) {
    bool isTyped;
    check(napi_is_typedarray(env, value, &isTyped), "a typed array");
    if (!isTyped) throw Misuse("expected a typed array");
    napi_typedarray_type type;
    size_t count, offset;
    napi_value buffer;
    check(napi_get_typedarray_info(env, value, &type, &count, &data, &buffer, &offset), "a typed array");
    static const std::vector<size_t> widths = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
    if (size_t(type) >= widths.size()) throw Misuse("a typed array of a kind that is not known here");
    length = count * widths[type];
  }
};

inline void throwJs(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
}

}  // namespace bridge
