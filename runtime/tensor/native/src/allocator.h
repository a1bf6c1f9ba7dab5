// A CPU allocator that keeps freed blocks and puts large ones on huge pages.
//
// libtorch asks the C library for each tensor and gives it back at once. Large blocks come from mmap, whose pages the
// kernel hands out zeroed, one fault each; a training step asks for the same sizes again and again, so that keeping
// the blocks saves those faults.
#pragma once
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <torch/version.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "handles.h"

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
#define PIPE_ALLOCATE_QUALIFIERS override
#define PIPE_HAS_COPY_DATA 1
#else
#define PIPE_ALLOCATE_QUALIFIERS const override
#endif

namespace bridge {

class CachingAllocator final : public c10::Allocator {
 public:
  static CachingAllocator& instance() {
    static CachingAllocator* const allocator = new CachingAllocator;  // outlives every static that still holds tensors
    return *allocator;
  }

  c10::DataPtr allocate(size_t bytes) PIPE_ALLOCATE_QUALIFIERS {
    void* const data = bytes ? instance().take(bytes) : nullptr;  // const in old versions
    return {data, data, &release, c10::Device(c10::kCPU)};  // context == data: raw_allocate relies on it
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
#ifdef PIPE_HAS_COPY_DATA
  void copy_data(void* to, const void* from, size_t count) const override { default_copy_data(to, from, count); }
#endif

  struct Statistics {
    size_t live, cached, peak;
  };
  Statistics statistics() {
    std::lock_guard<std::mutex> lock(mutex_);
    return {live_, cached_, peak_};
  }

  /// Give the blocks that are not in use back to the system.
  void trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    dropCached();
  }

  void resetPeak() {
    std::lock_guard<std::mutex> lock(mutex_);
    peak_ = live_;
  }

 private:
  static constexpr size_t kHeader = 64;  // keeps the data on a cache line; its first word is the size class
  static constexpr size_t kHugePage = size_t(1) << 21;
  static constexpr size_t kSpare = size_t(256) << 20;
  static constexpr size_t kNearby = 4;
  static constexpr size_t kClassesPerDoubling = 8;  // at most 12.5 % of a block is unused

  static size_t classOf(size_t bytes) {
    const size_t units = (bytes + kHeader - 1) / kHeader;  // of 64 bytes
    if (units <= kClassesPerDoubling) return units;
    const int shift = 60 - __builtin_clzll(units - 1);  // 8 steps within the doubling
    return size_t(shift) * kClassesPerDoubling + (((units - 1) >> shift) + 1);
  }
  static size_t bytesOf(size_t sizeClass) {
    if (sizeClass <= kClassesPerDoubling) return sizeClass * kHeader;
    const size_t shift = (sizeClass - kClassesPerDoubling - 1) / kClassesPerDoubling;
    return (sizeClass - shift * kClassesPerDoubling) * kHeader << shift;
  }

  void* take(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    const size_t sizeClass = nearest(classOf(bytes)), size = bytesOf(sizeClass);
    std::vector<void*>& blocks = cache_[sizeClass];
    void* block;
    if (blocks.empty()) {
      makeRoom(size);
      block = request(size + kHeader);
    } else {
      block = blocks.back();
      blocks.pop_back();
      cached_ -= size;
    }
    live_ += size;
    if (live_ > peak_) peak_ = live_;
    if (live_ > peakEver_) peakEver_ = live_;
    *static_cast<size_t*>(block) = sizeClass;
    return static_cast<char*>(block) + kHeader;
  }

  /// A cached block of a somewhat larger class (at most a half) is better than memory that is new.
  size_t nearest(size_t sizeClass) {
    if (sizeClass + kNearby >= cache_.size()) cache_.resize(sizeClass + kNearby + 1);
    for (size_t c = sizeClass; c <= sizeClass + kNearby; c++)
      if (!cache_[c].empty()) return c;
    return sizeClass;
  }

  /// Work of other shapes than before does not add its blocks to theirs: a quarter above the most that was in use is the
  /// limit, and a block that is not there is paid for with cached ones, largest first.
  void makeRoom(size_t size) {
    const size_t limit = peakEver_ + peakEver_ / 4 + kSpare;
    for (size_t c = cache_.size(); c-- > 0 && live_ + cached_ + size > limit;) {
      std::vector<void*>& blocks = cache_[c];
      for (; !blocks.empty() && live_ + cached_ + size > limit; blocks.pop_back()) {
        ::free(blocks.back());
        cached_ -= bytesOf(c);
      }
    }
  }

  void* request(size_t size) {
    const bool huge = size >= kHugePage;
    void* block = nullptr;
    if (posix_memalign(&block, huge ? kHugePage : kHeader, size)) {
      dropCached();
      if (posix_memalign(&block, huge ? kHugePage : kHeader, size)) throw std::bad_alloc();
    }
    if (huge) madvise(block, size, MADV_HUGEPAGE);
    return block;
  }

  static void release(void* data) {
    if (!data) return;
    CachingAllocator& self = instance();
    void* const block = static_cast<char*>(data) - kHeader;
    const size_t sizeClass = *static_cast<size_t*>(block), size = bytesOf(sizeClass);
    std::lock_guard<std::mutex> lock(self.mutex_);
    self.cache_[sizeClass].push_back(block);
    self.cached_ += size;
    self.live_ -= size;
  }

  void dropCached() {
    for (auto& blocks : cache_) {
      for (void* block : blocks) ::free(block);
      blocks.clear();
    }
    cached_ = 0;
  }

  std::mutex mutex_;
  std::vector<std::vector<void*>> cache_;  // by size class
  size_t live_ = 0, cached_ = 0, peak_ = 0, peakEver_ = 0;
};

/// Everything libtorch allocates on the CPU from now on comes from the caching allocator.
inline void installAllocator() {
  static std::once_flag once;
  std::call_once(once, [] { c10::SetCPUAllocator(&CachingAllocator::instance(), 100); });
}

/// memory() → [bytes in use, bytes kept for use, most bytes in use since resetPeak]
inline napi_value memoryStatistics(napi_env env, Environment&, const napi_value*, size_t) {
  const auto statistics = CachingAllocator::instance().statistics();
  const size_t numbers[] = {statistics.live, statistics.cached, statistics.peak};
  return jsArray(env, 3, [&](size_t i) { return js(env, double(numbers[i])); });
}

inline napi_value trimMemory(napi_env, Environment&, const napi_value*, size_t) {
  CachingAllocator::instance().trim();
  return nullptr;
}

inline napi_value resetPeak(napi_env, Environment&, const napi_value*, size_t) {
  CachingAllocator::instance().resetPeak();
  return nullptr;
}

}  // namespace bridge
