// JavaScript values to IValues as a schema asks for them, and back.
#pragma once
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>

#include "handles.h"

namespace bridge {

using c10::IValue;
using c10::TypeKind;

struct Argument;
using Converter = IValue (*)(Environment&, napi_env, napi_value, const Argument&);

/// How one argument of an operator is read; made once when the operator is bound.
struct Argument {
  std::string name;
  bool optional = false;
  Converter convert = nullptr;
  c10::TypePtr element;  // of a list
  std::shared_ptr<Argument> item;  // how its elements are read
};

/// Integral numbers become integer Scalars, so that libtorch's type promotion sees what was meant.
inline c10::Scalar toScalar(napi_env env, napi_value value) {
  const napi_valuetype type = typeOf(env, value);
  if (type == napi_boolean) return toBool(env, value);
  if (type == napi_bigint) return toInt(env, value);
  const double number = toDouble(env, value);
  const bool integral = number == std::trunc(number) && std::abs(number) < 9e15 && !(number == 0 && std::signbit(number));
  if (integral) return int64_t(number);
  return number;
}

template <class T, T (*Read)(napi_env, napi_value)>
IValue convertList(Environment&, napi_env env, napi_value value, const Argument&) {
  c10::List<T> list;
  if (typeOf(env, value) == napi_number) list.push_back(Read(env, value));  // int[2] k=3 style
  else forEach(env, value, [&](napi_value element) { list.push_back(Read(env, element)); });
  return list;
}

inline IValue convertTensors(Environment& owner, napi_env env, napi_value value, const Argument&) {
  c10::List<at::Tensor> list;
  forEach(env, value, [&](napi_value element) { list.push_back(owner.handles.get(env, element)); });
  return list;
}

inline IValue convertGenericList(Environment& owner, napi_env env, napi_value value, const Argument& argument) {
  c10::impl::GenericList list(argument.element);
  forEach(env, value, [&](napi_value element) {
    if (argument.item->optional && isAbsent(env, element)) list.push_back(IValue());
    else list.push_back(argument.item->convert(owner, env, element, *argument.item));
  });
  return IValue(std::move(list));
}

inline Converter converterFor(TypeKind kind) {
  switch (kind) {
    case TypeKind::TensorType:
      return [](Environment& owner, napi_env env, napi_value v, const Argument&) { return IValue(owner.handles.get(env, v)); };
    case TypeKind::IntType:  // also ScalarType, Layout and MemoryFormat
    case TypeKind::SymIntType:
      return [](Environment&, napi_env env, napi_value v, const Argument&) { return IValue(toInt(env, v)); };
    case TypeKind::FloatType:
      return [](Environment&, napi_env env, napi_value v, const Argument&) { return IValue(toDouble(env, v)); };
    case TypeKind::BoolType:
      return [](Environment&, napi_env env, napi_value v, const Argument&) { return IValue(toBool(env, v)); };
    case TypeKind::NumberType:
      return [](Environment&, napi_env env, napi_value v, const Argument&) { return IValue(toScalar(env, v)); };
    case TypeKind::StringType:
      return [](Environment&, napi_env env, napi_value v, const Argument&) { return IValue(toString(env, v)); };
    case TypeKind::DeviceObjType:
      return [](Environment&, napi_env env, napi_value v, const Argument&) { return IValue(c10::Device(toString(env, v))); };
    case TypeKind::GeneratorType:  // a seed; the generator lives as long as the call
      return [](Environment&, napi_env env, napi_value v, const Argument&) {
        return IValue(at::Generator(at::detail::createCPUGenerator(uint64_t(toInt(env, v)))));
      };
    default:
      return nullptr;
  }
}

/// @throws when no JavaScript value stands for the type
inline Argument planArgument(const std::string& name, c10::TypePtr type) {
  Argument plan;
  plan.name = name;
  if (type->kind() == TypeKind::OptionalType) {
    plan.optional = true;
    type = type->castRaw<c10::OptionalType>()->getElementType();
  }
  if (type->kind() != TypeKind::ListType) {
    plan.convert = converterFor(type->kind());
    if (!plan.convert) throw Misuse("argument '" + name + "' has type " + type->str() + ", which JavaScript cannot give");
    return plan;
  }
  plan.element = type->castRaw<c10::ListType>()->getElementType();
  switch (plan.element->kind()) {
    case TypeKind::TensorType: plan.convert = convertTensors; break;
    case TypeKind::IntType:
    case TypeKind::SymIntType: plan.convert = convertList<int64_t, toInt>; break;
    case TypeKind::FloatType: plan.convert = convertList<double, toDouble>; break;
    case TypeKind::BoolType: plan.convert = convertList<bool, toBool>; break;
    default:
      plan.item = std::make_shared<Argument>(planArgument(name, plan.element));
      plan.convert = convertGenericList;
  }
  return plan;
}

inline napi_value toJs(Environment& owner, napi_env env, IValue&& value) {
  if (value.isTensor()) {
    if (!value.toTensor().defined()) return jsNull(env);
    return js(env, owner.handles.put(std::move(value).toTensor()));
  }
  if (value.isNone()) return jsNull(env);
  if (value.isBool()) return jsBool(env, value.toBool());
  if (value.isInt()) return js(env, double(value.toInt()));
  if (value.isDouble()) return js(env, value.toDouble());
  if (value.isScalar()) return js(env, value.toScalar().toDouble());
  if (value.isString()) return js(env, value.toStringRef());
  if (value.isList()) {
    auto list = value.toList();
    return jsArray(env, list.size(), [&](size_t i) { return toJs(owner, env, IValue(list.get(i))); });
  }
  throw Misuse("a result of type " + value.tagKind() + " has no JavaScript value");
}

}  // namespace bridge
