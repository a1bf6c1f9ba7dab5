// torch.distributed's Gloo process group. Joining and waiting happen on libuv's threads and settle promises.
#pragma once
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <functional>
#include <map>

#include "handles.h"

namespace bridge {

using Group = c10::intrusive_ptr<c10d::ProcessGroupGloo>;

inline std::map<int64_t, Group>& groups() {  // of the process: ranks are processes
  static auto* const all = new std::map<int64_t, Group>;
  return *all;
}

inline Group groupFrom(napi_env env, napi_value id) {
  const auto found = groups().find(toInt(env, id));
  if (found == groups().end()) throw Misuse("this process group was closed or never existed");
  return found->second;
}

/// Work for another thread, and the promise that it settles.
struct Task {
  std::function<void()> run;
  std::function<napi_value(napi_env)> result;  // on the JavaScript thread, after run
  std::string name, error;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;

  static void execute(napi_env, void* data) {
    Task& task = *static_cast<Task*>(data);
    try {
      task.run();
    } catch (const c10::Error& error) {
      task.error = error.what_without_backtrace();
    } catch (const std::exception& error) {
      task.error = error.what();
    }
  }

  static void complete(napi_env env, napi_status status, void* data) {
    const std::unique_ptr<Task> task(static_cast<Task*>(data));
    napi_delete_async_work(env, task->work);
    if (status == napi_cancelled) task->error = "cancelled";
    if (task->error.empty()) {
      napi_resolve_deferred(env, task->deferred, task->result(env));
      return;
    }
    napi_value message, error;
    const std::string text = task->name + ": " + task->error;
    napi_create_string_utf8(env, text.data(), text.size(), &message);
    napi_create_error(env, nullptr, message, &error);
    napi_reject_deferred(env, task->deferred, error);
  }
};

inline napi_value inBackground(napi_env env, std::string name, std::function<void()> run,
                               std::function<napi_value(napi_env)> result = jsNull) {
  auto task = std::make_unique<Task>();
  task->name = std::move(name);
  task->run = std::move(run);
  task->result = std::move(result);
  napi_value promise, label;
  check(napi_create_promise(env, &task->deferred, &promise), "a promise");
  check(napi_create_string_utf8(env, task->name.c_str(), NAPI_AUTO_LENGTH, &label), "a string");
  check(napi_create_async_work(env, nullptr, label, Task::execute, Task::complete, task.get(), &task->work), "work");
  check(napi_queue_async_work(env, task->work), "work");
  task.release();
  return promise;
}

/// joinGroup(kind, host or path, port, interface or host, rank, size, milliseconds) → Promise<group>; kind: tcp | file
inline napi_value joinGroup(napi_env env, Environment&, const napi_value* values, size_t) {
  const std::string kind = toString(env, values[0]), place = toString(env, values[1]), address = toString(env, values[3]);
  const int port = toInt(env, values[2]), rank = toInt(env, values[4]), size = toInt(env, values[5]);
  const std::chrono::milliseconds timeout(toInt(env, values[6]));
  auto group = std::make_shared<Group>();
  auto join = [=] {
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
    *group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
  };
  return inBackground(env, "joining the process group", join, [group](napi_env env) {
    static int64_t next = 0;
    groups().emplace(next, *group);
    return js(env, double(next++));
  });
}

inline napi_value leaveGroup(napi_env env, Environment&, const napi_value* values, size_t) {
  groups().erase(toInt(env, values[0]));
  return nullptr;
}

/// Waiting holds the group and, through the work, the tensors.
inline napi_value waitFor(napi_env env, const char* name, Group group, c10::intrusive_ptr<c10d::Work> work) {
  return inBackground(env, name, [group, work] { work->wait(); });
}

/// Collectives write into memory in row-major order.
inline at::Tensor dense(const at::Tensor& tensor) {
  if (!tensor.is_contiguous()) throw Misuse("a collective needs a tensor in row-major order");
  return tensor;
}

/// allReduce(group, handle, op) → Promise; in place; op: 0 sum, 1 average, 2 product, 3 smallest, 4 largest
inline napi_value allReduce(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const Group group = groupFrom(env, values[0]);
  std::vector<at::Tensor> tensors{dense(owner.handles.get(env, values[1]))};
  c10d::AllreduceOptions options;
  options.reduceOp = c10d::ReduceOp(c10d::ReduceOp::RedOpType(toInt(env, values[2])));
  return waitFor(env, "allReduce", group, group->allreduce(tensors, options));
}

/// broadcast(group, handle, root) → Promise; in place
inline napi_value broadcast(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const Group group = groupFrom(env, values[0]);
  std::vector<at::Tensor> tensors{dense(owner.handles.get(env, values[1]))};
  c10d::BroadcastOptions options;
  options.rootRank = toInt(env, values[2]);
  return waitFor(env, "broadcast", group, group->broadcast(tensors, options));
}

/// allGather(group, one handle a rank, handle) → Promise; writes into the former
inline napi_value allGather(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const Group group = groupFrom(env, values[0]);
  std::vector<at::Tensor> places;
  forEach(env, values[1], [&](napi_value handle) { places.push_back(dense(owner.handles.get(env, handle))); });
  std::vector<std::vector<at::Tensor>> outputs(1);
  {
    // Gloo's thread writes with operators of its own, which tensors made in inference mode refuse
    c10::InferenceMode normal(false);
    for (const at::Tensor& place : places) outputs[0].push_back(at::empty(place.sizes(), place.options()));
  }
  std::vector<at::Tensor> inputs{dense(owner.handles.get(env, values[2]))};
  const auto work = group->allgather(outputs, inputs);
  return inBackground(env, "allGather", [group, work, places, outputs] {
    work->wait();
    c10::InferenceMode inference(true);
    for (size_t i = 0; i < places.size(); i++) places[i].copy_(outputs[0][i]);
  });
}

/// barrier(group) → Promise
inline napi_value barrier(napi_env env, Environment&, const napi_value* values, size_t) {
  const Group group = groupFrom(env, values[0]);
  return waitFor(env, "barrier", group, group->barrier());
}

}  // namespace bridge
