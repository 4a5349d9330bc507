// A stress of the thread pool by itself, for ThreadSanitizer (.ci/sanitize compiles and runs it):
// callers at once, nested calls, failures, interruptions, and a number of threads that changes
// meanwhile.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "common/parallel.hpp"

namespace {

using liftwave::index_t;

constexpr double large = 1e9;  // bytes that all threads are worth it for

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "parallel_stress: %s\n", what);
  std::exit(1);
}

// Long enough for other threads to wake and join in.
void linger() { std::this_thread::sleep_for(std::chrono::microseconds(30)); }

// Every item is done once, and what workers wrote is seen by the caller. Ranges without a pause end
// while the caller still waits for them without sleeping.
void fill(index_t items, bool pause = true) {
  std::vector<index_t> done(static_cast<std::size_t>(items), 0);  // not atomic on purpose
  liftwave::parallel_for(items, large, [&](index_t begin, index_t end) {
    liftwave::Scratch scratch;
    index_t* mine = scratch.take<index_t>(end - begin);
    for (index_t i = begin; i < end; ++i) mine[i - begin] = i + 1;
    if (pause) linger();
    for (index_t i = begin; i < end; ++i) done[static_cast<std::size_t>(i)] += mine[i - begin];
  });
  const index_t sum = std::accumulate(done.begin(), done.end(), index_t{0});
  require(sum == items * (items + 1) / 2, "an item was left out or done twice");
}

void nest() {
  std::atomic<index_t> count{0};
  liftwave::parallel_for(5, large, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      liftwave::parallel_for(7, large, [&](index_t b, index_t e) { count += e - b; });
    }
  });
  require(count == 35, "nested work was left out");
}

void fail() {
  bool caught = false;
  try {
    liftwave::parallel_for(50, large, [](index_t begin, index_t) {
      linger();
      if (begin % 2 == 0) throw std::runtime_error("on purpose");
    });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  require(caught, "an exception did not arrive");
}

struct Ended {};

// A check that throws ends the work of all threads.
void interrupt() {
  constexpr index_t items = 20000;
  std::atomic<index_t> done{0};
  bool caught = false;
  try {
    liftwave::Watch watch([](void*) { throw Ended{}; }, nullptr);
    liftwave::parallel_for(items, large, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) linger();
      done += end - begin;
    });
  } catch (const Ended&) {
    caught = true;
  }
  require(caught, "a watch did not end the work");
  require(done < items, "work went on after the watch ended it");
  fill(100);
}

// A look within a range ends it, in the thread of the watch and in others.
void interrupt_ranges() {
  constexpr index_t steps = 20000;
  std::atomic<index_t> complete{0};
  bool caught = false;
  try {
    liftwave::Watch watch([](void*) { throw Ended{}; }, nullptr);
    liftwave::parallel_for(2, large, [&](index_t, index_t) {
      liftwave::Pace pace;
      for (index_t i = 0; i < steps; ++i) linger(), pace.moved(1 << 20);
      ++complete;
    });
  } catch (const Ended&) {
    caught = true;
  }
  require(caught, "a watch did not end a range");
  require(complete == 0, "a range went on after the watch ended it");
  fill(100);
}

}  // namespace

int main() {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([caller] {
      for (int round = 0; round < 300; ++round) {
        if (caller == 0) liftwave::set_num_threads(1 + round % 5);
        fill(1 + (round * 37 + caller) % 500);
        fill(1 + (round * 37 + caller) % 500, false);
        if (round % 3 == 0) nest();
        if (round % 5 == 0) fail();
        if (round % 100 == 0) interrupt(), interrupt_ranges();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  std::puts("parallel_stress: all work was done");
}
