// Promises that other threads settle.
#pragma once
#include <c10/util/Exception.h>

#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "js.h"

namespace bridge {

/// What the exception that is being handled says.
inline std::string whatWasThrown() {
  try {
    throw;
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown C++ exception";
  }
}

/// A promise that any thread may settle. What comes first counts; the rest is dropped, and so is all once the JavaScript
/// thread has ended. Node lives on for it as long as it is open, and no longer.
class Answer {
 public:
  using Result = std::function<napi_value(napi_env)>;  // called on the JavaScript thread

  /// @param name what the promise is of: begins its errors
  static std::shared_ptr<Answer> open(napi_env env, std::string name, napi_value* promise) {
    const std::shared_ptr<Answer> answer(new Answer(std::move(name)));
    napi_value label;
    check(napi_create_promise(env, &answer->deferred_, promise), "a promise");
    check(napi_create_string_utf8(env, answer->name_.c_str(), NAPI_AUTO_LENGTH, &label), "a string");
    auto held = std::make_unique<std::shared_ptr<Answer>>(answer);
    check(napi_create_threadsafe_function(env, nullptr, nullptr, label, 0, 1, held.get(), closed, answer.get(), settle,
                                          &answer->wake_),
          "a way back from other threads");
    held.release();
    return answer;
  }

  void resolve(Result result = jsNull) { end(std::move(result), ""); }
  void reject(std::string why) { end(nullptr, std::move(why)); }

 private:
  explicit Answer(std::string name) : name_(std::move(name)) {}

  void end(Result result, std::string why) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!wake_) return;
    result_ = std::move(result);
    why_ = std::move(why);
    // anything but ok: the JavaScript thread is ending, and has taken the function back
    if (napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_ok)
      napi_release_threadsafe_function(wake_, napi_tsfn_release);
    wake_ = nullptr;
  }

  static void settle(napi_env env, napi_value, void* context, void*) {
    if (!env) return;  // the JavaScript thread is ending
    Answer& answer = *static_cast<Answer*>(context);
    if (answer.result_) {
      try {
        napi_resolve_deferred(env, answer.deferred_, answer.result_(env));
        return;
      } catch (...) {
        answer.why_ = whatWasThrown();
      }
    }
    const std::string text = answer.name_ + ": " + answer.why_;
    napi_value message, error;
    napi_create_string_utf8(env, text.data(), text.size(), &message);
    napi_create_error(env, nullptr, message, &error);
    napi_reject_deferred(env, answer.deferred_, error);
  }

  static void closed(napi_env, void* data, void*) {
    const std::unique_ptr<std::shared_ptr<Answer>> held(static_cast<std::shared_ptr<Answer>*>(data));
    const std::lock_guard<std::mutex> lock((*held)->mutex_);
    (*held)->wake_ = nullptr;
  }

  const std::string name_;
  napi_deferred deferred_ = nullptr;
  std::mutex mutex_;
  napi_threadsafe_function wake_ = nullptr;  // none: settled, or too late
  Result result_;
  std::string why_;
};

/// Give the answer what `work` returns, from a thread of its own. Nobody joins the thread: a process ends without it,
/// where Node would wait for one of libuv's.
inline void inBackground(const std::shared_ptr<Answer>& answer, const std::function<Answer::Result()>& work) {
  const auto run = [answer, work] {
    try {
      answer->resolve(work());
    } catch (...) {
      answer->reject(whatWasThrown());
    }
  };
  try {
    std::thread(run).detach();
  } catch (...) {
    answer->reject(whatWasThrown());
  }
}

}  // namespace bridge
