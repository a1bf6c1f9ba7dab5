// A generic bridge from Node to libtorch: operators by schema name, tensors as numbers, streams, collectives.
// What the operators mean is the business of the TypeScript beside it.
#include <ATen/Parallel.h>
#include <torch/version.h>

#include "allocator.h"
#include "norm.h"
#include "operators.h"
#include "pointwise.h"
#include "streams.h"
#include "tensors.h"
#ifdef PIPE_WITH_GLOO
#include "collectives.h"
#endif

namespace bridge {
namespace {

napi_value setThreads(napi_env env, Environment&, const napi_value* values, size_t) {
  at::set_num_threads(int(toInt(env, values[0])));
  return nullptr;
}

napi_value threads(napi_env env, Environment&, const napi_value*, size_t) { return js(env, double(at::get_num_threads())); }

napi_value version(napi_env env, Environment&, const napi_value*, size_t) { return js(env, std::string(TORCH_VERSION)); }

constexpr size_t kMostParameters = 8;
using Function = napi_value (*)(napi_env, Environment&, const napi_value*, size_t);

template <Function function>
napi_value exported(napi_env env, napi_callback_info info) {
  napi_value values[kMostParameters];
  size_t count = kMostParameters;  // Node fills the rest with undefined
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok) return nullptr;
  return guarded(env, "", [&] { return function(env, Environment::of(env), values, count); });
}

struct Export {
  const char* name;
  napi_callback callback;
};

const Export kExports[] = {
    {"bind", exported<bindOperator>},
    {"schema", exported<describeOperator>},
    {"fromBuffer", exported<fromBuffer>},
    {"readInto", exported<readInto>},
    {"release", exported<releaseTensor>},
    {"keep", exported<keepTensor>},
    {"openScope", exported<openScope>},
    {"closeScope", exported<closeScope>},
    {"shape", exported<shapeOf>},
    {"scalarType", exported<scalarTypeOf>},
    {"isContiguous", exported<isContiguous>},
    {"isExclusive", exported<isExclusive>},
    {"live", exported<liveHandles>},
    {"memory", exported<memoryStatistics>},
    {"trim", exported<trimMemory>},
    {"resetPeak", exported<resetPeak>},
    {"setThreads", exported<setThreads>},
    {"threads", exported<threads>},
    {"version", exported<version>},
    {"currentStream", exported<currentStream>},
    {"pooledStream", exported<pooledStream>},
    {"setStream", exported<setStream>},
    {"recordEvent", exported<recordEvent>},
    {"waitEvent", exported<waitEvent>},
    {"eventDone", exported<eventDone>},
    {"recordStream", exported<recordStream>},
    {"releaseEvent", exported<releaseEvent>},
#ifdef PIPE_WITH_GLOO
    {"joinGroup", exported<joinGroup>},
    {"leaveGroup", exported<leaveGroup>},
    {"allReduce", exported<allReduce>},
    {"broadcast", exported<broadcast>},
    {"allGather", exported<allGather>},
    {"barrier", exported<barrier>},
#endif
};

}  // namespace
}  // namespace bridge

NAPI_MODULE_INIT() {
  using namespace bridge;
  installAllocator();
  // For the thread's life, below autograd: gradients are the tape's. Never destroyed: the thread ends with it.
  new c10::InferenceMode(true);
  auto* const environment = new Environment;
  napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  for (const Export& entry : kExports) {
    napi_value function;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, nullptr, &function) == napi_ok)
      napi_set_named_property(env, exports, entry.name, function);
  }
  return exports;
}
