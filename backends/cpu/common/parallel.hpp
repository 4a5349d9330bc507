// Work shared among threads.
//
// There is one pool per process. A caller that finds it busy does the work itself, so calls from
// different threads never wait for each other. After a fork the child forgets the parent's workers
// and starts new ones when it needs them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <type_traits>

#include "common/index.hpp"

namespace liftwave {

void set_num_threads(int count);
int get_num_threads();

// Called with ranges [begin, end) of items.
class RangeFunction {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<F, RangeFunction>>>
  explicit RangeFunction(F& f)
      : object_(&f), call_([](void* object, index_t begin, index_t end) {
          (*static_cast<F*>(object))(begin, end);
        }) {}
  void operator()(index_t begin, index_t end) const { call_(object_, begin, end); }

 private:
  void* object_;
  void (*call_)(void*, index_t, index_t);
};

// Runs `work` on ranges that together are [0, items). All items together move `bytes`. One thread
// is enough below two grains of bytes. Exceptions reach the caller, and no thread begins another
// range after one.
void parallel_ranges(index_t items, double bytes, RangeFunction work);

// The smallest number of ranges for work that moves `bytes`: each takes less than 0.1 seconds, so
// that a caller can interrupt it.
index_t ranges_for(double bytes);

// While it exists, its thread calls `check` between ranges of work, at most every 0.1 seconds. A
// check that throws ends the work.
class Watch {
 public:
  using Check = void (*)(void* context);

  Watch(Check check, void* context);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Calls the check if one is due.
  void look();

 private:
  using Clock = std::chrono::steady_clock;

  Check check_;
  void* context_;
  Clock::time_point due_;
  Watch* outer_;
};

// Number of threads for work that moves `bytes`; 1 inside a range of other work.
int threads_for(double bytes);

template <class F>
void parallel_for(index_t items, double bytes, F&& work) {
  parallel_ranges(items, bytes, RangeFunction(work));
}

// Memory for intermediate results: a stack that releases everything at the end of a scope. Each
// thread keeps a few megabytes from call to call.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <class T>
  T* take(index_t count) {
    static_assert(std::is_trivial_v<T>);
    return static_cast<T*>(bytes(static_cast<std::size_t>(count) * sizeof(T)));
  }

 private:
  struct Blocks;
  static Blocks& of_this_thread();
  void* bytes(std::size_t size);

  Blocks& blocks_;
  std::size_t block_, used_;  // the next free byte when this scope began
};

}  // namespace liftwave
