// Streams and events of any device, by device string: no vendor's header is needed.
#pragma once
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "handles.h"

namespace bridge {

/// With its index: streams and events belong to one device, and "cuda" alone is the one that is current.
inline c10::Device deviceFrom(napi_env env, napi_value text) {
  const c10::Device device(toString(env, text));
  return device.has_index() ? device : c10::impl::VirtualGuardImpl(device.type()).getDevice();
}

inline c10::Stream streamFrom(napi_env env, napi_value device, napi_value id) {
  return c10::Stream(c10::Stream::UNSAFE, deviceFrom(env, device), toInt(env, id));
}

/// currentStream(device) → id
inline napi_value currentStream(napi_env env, Environment&, const napi_value* values, size_t) {
  const c10::Device device = deviceFrom(env, values[0]);
  return js(env, double(c10::impl::VirtualGuardImpl(device.type()).getStream(device).id()));
}

/// pooledStream(device) → id of a stream of the device's pool
inline napi_value pooledStream(napi_env env, Environment&, const napi_value* values, size_t) {
  const c10::Device device = deviceFrom(env, values[0]);
  return js(env, double(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device, false).id()));
}

/// setStream(device, id) → id of the stream that was current
inline napi_value setStream(napi_env env, Environment&, const napi_value* values, size_t) {
  const c10::Stream stream = streamFrom(env, values[0], values[1]);
  return js(env, double(c10::impl::VirtualGuardImpl(stream.device_type()).exchangeStream(stream).id()));
}

inline c10::Event& eventFrom(napi_env env, Environment& owner, napi_value id) {
  const auto found = owner.events.find(toInt(env, id));
  if (found == owner.events.end()) throw Misuse("this event was released or never existed");
  return *found->second;
}

/// recordEvent(device, stream id) → event
inline napi_value recordEvent(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const c10::Stream stream = streamFrom(env, values[0], values[1]);
  auto event = std::make_unique<c10::Event>(stream.device_type());
  event->record(stream);
  owner.events.emplace(owner.nextEvent, std::move(event));
  return js(env, double(owner.nextEvent++));
}

/// waitEvent(event, device, stream id): the stream waits, the thread does not
inline napi_value waitEvent(napi_env env, Environment& owner, const napi_value* values, size_t) {
  eventFrom(env, owner, values[0]).block(streamFrom(env, values[1], values[2]));
  return nullptr;
}

/// eventDone(event) → whether what was recorded before it has finished
inline napi_value eventDone(napi_env env, Environment& owner, const napi_value* values, size_t) {
  return jsBool(env, eventFrom(env, owner, values[0]).query());
}

/// recordStream(tensor, device, stream id): the stream reads the tensor, which was made on another; its memory is not used
/// again before that is done
inline napi_value recordStream(napi_env env, Environment& owner, const napi_value* values, size_t) {
  const at::Tensor& tensor = owner.handles.get(env, values[0]);
  if (tensor.device().type() != c10::Device(toString(env, values[1])).type())
    throw Misuse("the tensor is not on the device of the stream");
  const c10::Stream stream = streamFrom(env, values[1], values[2]);
  if (tensor.has_storage())
    c10::impl::VirtualGuardImpl(stream.device_type()).recordDataPtrOnStream(tensor.storage().data_ptr(), stream);
  return nullptr;
}

inline napi_value releaseEvent(napi_env env, Environment& owner, const napi_value* values, size_t) {
  owner.events.erase(toInt(env, values[0]));
  return nullptr;
}

}  // namespace bridge
