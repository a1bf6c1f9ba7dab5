// torch.distributed's Gloo process group. Joining happens on a thread of its own; collectives go on on Gloo's threads,
// which settle the promises. No thread of Node's waits: a rank that is silent cannot keep this process from ending.
#pragma once
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <atomic>
#include <map>

#include "answer.h"
#include "handles.h"

namespace bridge {

using Group = c10::intrusive_ptr<c10d::ProcessGroupGloo>;

/// This process in a group, from the wish to join it until it is left.
class Member {
 public:
  ~Member() {
    // the group's end would wait for what is under way, which may wait for a rank that is gone
    if (*underWay > 0) group_.release();
  }

  std::shared_ptr<Answer> open(napi_env env, const std::string& name, napi_value* promise) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto settled = [](const std::weak_ptr<Answer>& answer) { return answer.expired(); };
    answers_.erase(std::remove_if(answers_.begin(), answers_.end(), settled), answers_.end());
    const auto answer = Answer::open(env, name, promise);
    answers_.push_back(answer);
    return answer;
  }

  void joined(Group group) {
    const std::lock_guard<std::mutex> lock(mutex_);
    group_ = std::move(group);
  }

  Group group() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!group_) throw Misuse("this process group is not joined yet");
    return group_;
  }

  /// Nothing is waited for any more.
  void leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& answer : answers_)
      if (const auto open = answer.lock()) open->reject("this process has left the group");
  }

  /// collectives; outlives the member
  const std::shared_ptr<std::atomic<int>> underWay = std::make_shared<std::atomic<int>>(0);

 private:
  std::mutex mutex_;
  Group group_;
  std::vector<std::weak_ptr<Answer>> answers_;
};

/// Groups by number. They are the process's, as ranks are processes; several of its threads may have loaded the add-on.
class Members {
 public:
  static Members& all() {
    static auto* const members = new Members;
    return *members;
  }

  int64_t add(std::shared_ptr<Member> member) {
    const std::lock_guard<std::mutex> lock(mutex_);
    members_.emplace(next_, std::move(member));
    return next_++;
  }

  std::shared_ptr<Member> get(napi_env env, napi_value id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = members_.find(toInt(env, id));
    if (found == members_.end()) throw Misuse("this process group was closed or never existed");
    return found->second;
  }

  std::shared_ptr<Member> take(int64_t id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = members_.find(id);
    if (found == members_.end()) return nullptr;
    const auto member = found->second;
    members_.erase(found);
    return member;
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<Member>> members_;
  int64_t next_ = 0;
};

/// joinGroup(kind, host or path, port, address of this machine, rank, size, milliseconds) → [group, Promise]
/// kind: tcp | file. The group's number is known at once, so that it can be left while it is being joined.
inline napi_value joinGroup(napi_env env, Environment&, const napi_value* values, size_t) {
  const std::string kind = toString(env, values[0]), place = toString(env, values[1]), address = toString(env, values[3]);
  const int port = toInt(env, values[2]), rank = toInt(env, values[4]), size = toInt(env, values[5]);
  const std::chrono::milliseconds timeout(toInt(env, values[6]));
  const auto member = std::make_shared<Member>();
  auto join = [=]() -> Answer::Result {
    c10::intrusive_ptr<c10d::Store> store;
    if (kind == "file") {
      store = c10::make_intrusive<c10d::FileStore>(place, size);
      store->setTimeout(timeout);
    } else {
      c10d::TCPStoreOptions options;
      options.port = port;
      options.isServer = rank == 0;
      options.numWorkers = size;
      options.timeout = timeout;
      store = c10::make_intrusive<c10d::TCPStore>(place, options);
    }
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    member->joined(c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options));
    return jsNull;
  };
  napi_value promise;
  const auto answer = member->open(env, "joining the process group", &promise);
  const auto id = Members::all().add(member);
  inBackground(answer, join);
  return jsArray(env, 2, [&](size_t i) { return i == 0 ? js(env, double(id)) : promise; });
}

/// Leave; promises that are open are rejected.
inline napi_value leaveGroup(napi_env env, Environment&, const napi_value* values, size_t) {
  if (const auto member = Members::all().take(toInt(env, values[0]))) member->leave();
  return nullptr;
}

/// The promise of a collective, which Gloo's thread settles. It holds the tensors through the work, but not the group:
/// that must not end on a thread of its own.
/// @param finish on Gloo's thread, when the collective is done
inline napi_value promiseOf(napi_env env, const char* name, Member& member,
                            const c10::intrusive_ptr<c10d::Work>& work, std::function<void()> finish = [] {}) {
  const auto underWay = member.underWay;
  ++*underWay;
  napi_value promise;
  const auto answer = member.open(env, name, &promise);
  work->getFuture()->addCallback([answer, underWay, finish](c10::ivalue::Future& future) {
    std::string why;
    bool failed = false;
    try {
      if (future.hasError()) std::rethrow_exception(future.exception_ptr());
      finish();
    } catch (...) {
      failed = true;
      why = whatWasThrown();
    }
    --*underWay;
    if (failed) answer->reject(why);
    else answer->resolve();
  });
  return promise;
}

/// Collectives write into memory in row-major order.
inline at::Tensor dense(const at::Tensor& tensor) {
  if (!tensor.is_contiguous()) throw Misuse("a collective needs a tensor in row-major order");
  return tensor;
}

/// allReduce(group, handle, op) → Promise; in place; op: 0 sum, 1 average, 2 product, 3 smallest, 4 largest
inline napi_value allReduce(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const auto member = Members::all().get(env, values[0]);
  std::vector<at::Tensor> tensors{dense(owner.handles.get(env, values[1]))};
  c10d::AllreduceOptions options;
  options.reduceOp = c10d::ReduceOp(c10d::ReduceOp::RedOpType(toInt(env, values[2])));
  return promiseOf(env, "allReduce", *member, member->group()->allreduce(tensors, options));
}

/// broadcast(group, handle, root) → Promise; in place
inline napi_value broadcast(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const auto member = Members::all().get(env, values[0]);
  std::vector<at::Tensor> tensors{dense(owner.handles.get(env, values[1]))};
  c10d::BroadcastOptions options;
  options.rootRank = toInt(env, values[2]);
  return promiseOf(env, "broadcast", *member, member->group()->broadcast(tensors, options));
}

/// allGather(group, one handle a rank, handle) → Promise; writes into the former
inline napi_value allGather(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const auto member = Members::all().get(env, values[0]);
  std::vector<at::Tensor> places;
  forEach(env, values[1], [&](napi_value handle) { places.push_back(dense(owner.handles.get(env, handle))); });
  std::vector<std::vector<at::Tensor>> outputs(1);
  {
    // Gloo's thread writes with operators of its own, which tensors made in inference mode refuse
    c10::InferenceMode normal(false);
    for (const at::Tensor& place : places) outputs[0].push_back(at::empty(place.sizes(), place.options()));
  }
  std::vector<at::Tensor> inputs{dense(owner.handles.get(env, values[2]))};
  const auto work = member->group()->allgather(outputs, inputs);
  return promiseOf(env, "allGather", *member, work, [places, outputs] {
    c10::InferenceMode inference(true);
    for (size_t i = 0; i < places.size(); i++) places[i].copy_(outputs[0][i]);
  });
}

/// barrier(group) → Promise
inline napi_value barrier(napi_env env, Environment&, const napi_value* values, size_t) {
  const auto member = Members::all().get(env, values[0]);
  return promiseOf(env, "barrier", *member, member->group()->barrier());
}

}  // namespace bridge
