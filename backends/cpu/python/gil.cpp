#include "python/gil.hpp"

#include <chrono>
#include <thread>

namespace liftwave {
namespace {

// Takes the GIL, which a thread can't do while the interpreter finalizes. Before Python 3.14, it
// ends with pthread_exit instead. glibc then unwinds its stack, and a frame that may not throw
// aborts the process. So the thread sleeps until the process ends, as it does from 3.14 on.
void take_gil(PyThreadState* state) noexcept {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

// Only this thread runs handlers of signals.
bool is_main_thread() {
  try {
    const nb::object thread = nb::module_::import_("threading").attr("main_thread")();
    return nb::cast<unsigned long>(thread.attr("ident")) == PyThread_get_thread_ident();
  } catch (const nb::python_error&) {
    return false;
  }
}

}  // namespace

Released::~Released() { take_gil(state_); }

void Released::check(void* released) {
  auto& self = *static_cast<Released*>(released);
  if (!self.watches_) return;
  take_gil(self.state_);
  self.watches_ = is_main_thread();
  const bool interrupted = self.watches_ && PyErr_CheckSignals() != 0;
  self.state_ = PyEval_SaveThread();
  if (interrupted) throw Interrupted{};
}

}  // namespace liftwave
