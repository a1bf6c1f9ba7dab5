// The dispatcher's operators as JavaScript functions, bound by schema name. No operator is named here.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <sstream>

#include "convert.h"

namespace bridge {

constexpr size_t kMostArguments = 24;

struct Operator {
  Environment& owner;
  std::string name;
  c10::OperatorHandle handle;
  std::vector<Argument> arguments;
  std::vector<IValue> defaults;  // None also where there is none: `hasDefault` tells
  std::vector<bool> hasDefault;
  bool inPlace = false;  // every result is an argument that was written to: nothing new to hand out
};

/// Runs `body` and turns whatever it throws into a JavaScript error that begins with `name`.
template <class F>
napi_value guarded(napi_env env, const std::string& name, F body) {
  const std::string prefix = name.empty() ? "" : name + ": ";
  try {
    return body();
  } catch (const Misuse& error) {
    throwJs(env, "TORCH_MISUSE", prefix + error.what());
  } catch (const c10::Error& error) {
    throwJs(env, "TORCH", prefix + error.what_without_backtrace());
  } catch (const std::exception& error) {
    throwJs(env, "TORCH", prefix + error.what());
  } catch (...) {
    throwJs(env, "TORCH", prefix + "an unknown C++ exception");
  }
  return nullptr;
}

inline napi_value call(const Operator& op, napi_env env, const napi_value* values, size_t count) {
  if (count > op.arguments.size())
    throw Misuse("takes " + std::to_string(op.arguments.size()) + " arguments, not " + std::to_string(count));
  torch::jit::Stack stack;
  stack.reserve(op.arguments.size());
  for (size_t i = 0; i < op.arguments.size(); i++) {
    const Argument& argument = op.arguments[i];
    const napi_valuetype type = i < count ? typeOf(env, values[i]) : napi_undefined;
    if (type == napi_undefined && op.hasDefault[i]) {
      stack.push_back(op.defaults[i]);
    } else if (type == napi_undefined || type == napi_null) {
      if (!argument.optional) throw Misuse("argument '" + argument.name + "' is missing");
      stack.emplace_back();
    } else {
      try {
        stack.push_back(argument.convert(op.owner, env, values[i], argument));
      } catch (const Misuse& error) {
        throw Misuse("argument '" + argument.name + "': " + error.what());
      }
    }
  }
  op.handle.callBoxed(&stack);
  if (op.inPlace || stack.empty()) return nullptr;
  if (stack.size() == 1) return toJs(op.owner, env, std::move(stack[0]));
  return jsArray(env, stack.size(), [&](size_t i) { return toJs(op.owner, env, std::move(stack[i])); });
}

inline napi_value callOperator(napi_env env, napi_callback_info info) {
  napi_value values[kMostArguments];
  size_t count = kMostArguments;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  const Operator& op = *static_cast<Operator*>(data);
  try {  // the names are put together only when something is thrown
    return call(op, env, values, count);
  } catch (...) {
    return guarded(env, op.name, []() -> napi_value { throw; });
  }
}

/// bind(name, overload) → a function of the schema's arguments in order, or null when libtorch has no such operator.
inline napi_value bindOperator(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const std::string name = toString(env, values[0]), overload = toString(env, values[1]);
  const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!found) return jsNull(env);
  const auto& schema = found->schema();
  auto op = std::unique_ptr<Operator>(
      new Operator{owner, overload.empty() ? name : name + "." + overload, *found, {}, {}, {}, !schema.returns().empty()});
  for (const auto& argument : schema.arguments()) {
    op->arguments.push_back(planArgument(argument.name(), argument.type()));
    op->hasDefault.push_back(argument.default_value().has_value());
    op->defaults.push_back(argument.default_value().has_value() ? *argument.default_value() : IValue());
  }
  if (op->arguments.size() > kMostArguments) throw Misuse(op->name + " has more arguments than are supported");
  for (const auto& result : schema.returns())
    if (!(result.alias_info() && result.alias_info()->isWrite())) op->inPlace = false;
  napi_value function;
  check(napi_create_function(env, op->name.c_str(), NAPI_AUTO_LENGTH, callOperator, op.get(), &function), "a function");
  owner.operators.push_back(std::move(op));
  return function;
}

/// schema(name, overload) → the schema as text, or null
inline napi_value describeOperator(napi_env env, Environment&, const napi_value* values, size_t) {
  const auto found = c10::Dispatcher::singleton().findSchema({toString(env, values[0]), toString(env, values[1])});
  if (!found) return jsNull(env);
  std::ostringstream text;
  text << found->schema();
  return js(env, text.str());
}

}  // namespace bridge
