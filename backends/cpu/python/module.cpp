// The Python module: the instruction set, threads, and all bindings.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/parallel.hpp"
#include "kernels.hpp"
#include "python/bindings.hpp"

namespace liftwave {
namespace {

// --- instruction set -------------------------------------------------------------------------

// The best instruction set of the processor, or the one that LIFTWAVE_ISA requests.
const InstructionSet& chosen() {
  static const InstructionSet& choice = []() -> const InstructionSet& {
    int count;
    const InstructionSet* sets = instruction_sets(count);
    const char* wanted = std::getenv("LIFTWAVE_ISA");
    const InstructionSet* best = nullptr;
    for (int i = 0; i < count; ++i) {
      if (!sets[i].available) continue;
      if (!wanted || !*wanted || std::strcmp(wanted, sets[i].name) == 0) best = &sets[i];
    }
    if (!best) {
      throw std::runtime_error(std::string("LIFTWAVE_ISA asks for '") + wanted +
                               "', which this processor or this build does not have");
    }
    return *best;
  }();
  return choice;
}

std::vector<std::string> available_isas() {
  int count;
  const InstructionSet* sets = instruction_sets(count);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    if (sets[i].available) names.emplace_back(sets[i].name);
  }
  return names;
}

}  // namespace
}  // namespace liftwave

NB_MODULE(_cpu, m) {
  using namespace liftwave;
  chosen();  // an unknown instruction set is an error at import

  m.def("isa", [] { return std::string(chosen().name); });
  m.def("available_isas", &available_isas);
  m.def("set_num_threads", &set_num_threads);
  m.def("get_num_threads", &get_num_threads);

  bind_arrays(m);
  const Kernels& kernels = *chosen().kernels;
  bind_filters(m, kernels);
  bind_packets(m, kernels);
  bind_circular(m, kernels);
  bind_lifting(m, kernels);
  bind_lifting_gradient(m, kernels);
  bind_whole_lifting(m, kernels);
  bind_pooling(m, kernels);
  bind_lift_pool(m, kernels);
  bind_spectral(m, kernels);
  bind_time_frequency(m, kernels);
  bind_dual_tree(m, kernels);
}
