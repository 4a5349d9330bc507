#include "liftwave/kernels.hpp"

namespace liftwave {

namespace baseline {
extern const Kernels kernels;
}

#if defined(LIFTWAVE_X86_LEVELS)
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

namespace {

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

}  // namespace
#endif

const InstructionSet* instruction_sets(int& count) {
  static const InstructionSet sets[] = {
      {"baseline", true, &baseline::kernels},
#if defined(LIFTWAVE_X86_LEVELS)
      {"avx2", has_avx2(), &avx2::kernels},
      {"avx512", has_avx512(), &avx512::kernels},
#endif
  };
  count = static_cast<int>(sizeof(sets) / sizeof(sets[0]));
  return sets;
}

}  // namespace liftwave
