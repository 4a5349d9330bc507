// The GIL during long work.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>

#include "common/parallel.hpp"

namespace liftwave {

namespace nb = nanobind;

// Thrown by work that a signal handler ended. Python's error is set.
struct Interrupted {};

// Releases the GIL. On Python's main thread, work that runs meanwhile throws `Interrupted` if the
// handler of a signal raises, as that of Ctrl-C does.
class Released {
 public:
  // For work that moves `bytes`.
  explicit Released(double bytes);
  ~Released();
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  static void check(void* released);
  bool handler_raised();

  PyThreadState* state_;
  bool handles_signals_ = true;
  std::optional<Watch> watch_;
};

// Runs work without the GIL, unless the work is shorter than the release.
template <class F>
void run_released(double bytes, const F& work) {
  if (bytes < 16384) return work();
  try {
    const Released released(bytes);
    work();
  } catch (const Interrupted&) {
    throw nb::python_error();
  }
}

}  // namespace liftwave
