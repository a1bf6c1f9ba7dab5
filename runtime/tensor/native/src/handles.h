// Tensors as JavaScript numbers.
#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/InferenceMode.h>

#include <deque>
#include <memory>
#include <unordered_map>

#include "js.h"

namespace bridge {

/// A handle is slot + generation * 2^24: a slot is used again, a handle never, so that a released one is recognised.
/// What is made while a scope is open is temporary: released when the scope closes, unless it was kept.
class Handles {
 public:
  double put(at::Tensor tensor) {
    uint32_t index;
    if (free_.empty()) {
      index = slots_.size();
      if (index >= kSlots) throw Misuse("more than 16 million live tensors");
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& slot = slots_[index];
    slot.tensor = std::move(tensor);
    slot.temporary = openScopes_ > 0;
    if (slot.temporary) temporaries_.push_back({index, slot.generation});
    return double(index) + double(slot.generation) * kSlots;
  }

  const at::Tensor& get(napi_env env, napi_value value) const { return slots_[indexOf(env, value)].tensor; }

  void release(napi_env env, napi_value value) { drop(indexOf(env, value)); }

  /// Out of the temporaries: whoever keeps it releases it.
  void keep(napi_env env, napi_value value) { slots_[indexOf(env, value)].temporary = false; }

  /// Returns what closes the scope.
  size_t openScope() {
    openScopes_++;
    return temporaries_.size();
  }
  void closeScope(size_t mark) {
    if (openScopes_ == 0 || mark > temporaries_.size()) throw Misuse("this scope is not open");
    openScopes_--;
    for (; temporaries_.size() > mark; temporaries_.pop_back()) {
      const Temporary& last = temporaries_.back();
      if (slots_[last.index].temporary && slots_[last.index].generation == last.generation) drop(last.index);
    }
  }

  size_t live() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 0;
    bool temporary = false;
  };
  struct Temporary {
    uint32_t index, generation;
  };
  static constexpr uint32_t kSlots = 1 << 24;

  void drop(uint32_t index) {
    slots_[index].tensor = at::Tensor();
    slots_[index].temporary = false;
    slots_[index].generation = (slots_[index].generation + 1) % kSlots;
    free_.push_back(index);
  }

  uint32_t indexOf(napi_env env, napi_value value) const {
    double number;
    check(napi_get_value_double(env, value, &number), "a tensor handle");
    const uint64_t handle = number >= 0 ? uint64_t(number) : ~uint64_t(0);
    const uint32_t index = handle % kSlots;
    if (index >= slots_.size() || slots_[index].generation != handle / kSlots || !slots_[index].tensor.defined())
      throw Misuse("tensor handle " + std::to_string(int64_t(number)) + " was released or never existed");
    return index;
  }

  std::deque<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<Temporary> temporaries_;
  size_t openScopes_ = 0;
};

struct Operator;

/// What one JavaScript environment (the main thread, or a worker) owns.
struct Environment {
  Handles handles;
  std::deque<std::unique_ptr<Operator>> operators;
  std::unordered_map<int64_t, std::unique_ptr<c10::Event>> events;
  int64_t nextEvent = 0;

  static Environment& of(napi_env env) {
    void* data;
    check(napi_get_instance_data(env, &data), "an environment");
    return *static_cast<Environment*>(data);
  }
};

}  // namespace bridge
