#include "python/gil.hpp"

#include <chrono>
#include <thread>

namespace liftwave {
namespace {

// Shorter work ends before its first check.
constexpr double watched_bytes = 1024 * 1024;

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

// Only this thread runs the handlers of signals.
bool is_main_thread() {
  const nb::object thread = nb::module_::import_("threading").attr("main_thread")();
  return nb::cast<unsigned long>(thread.attr("ident")) == PyThread_get_thread_ident();
}

}  // namespace

Released::Released(double bytes) : state_(PyEval_SaveThread()) {
  if (bytes >= watched_bytes) watch_.emplace(check, this);
}

Released::~Released() {
  watch_.reset();
  take_gil(state_);
}

// Calls of Python functions run handlers, too.
bool Released::handler_raised() {
  if (PyErr_CheckSignals() != 0) return true;
  try {
    handles_signals_ = is_main_thread();
  } catch (nb::python_error& error) {
    error.restore();
    return true;
  }
  return false;
}

void Released::check(void* released) {
  auto& self = *static_cast<Released*>(released);
  if (!self.handles_signals_) return;
  take_gil(self.state_);
  const bool raised = self.handler_raised();
  self.state_ = PyEval_SaveThread();
  if (raised) throw Interrupted{};
}

}  // namespace liftwave
