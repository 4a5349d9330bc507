#include "kernels.hpp"
#include "processor.hpp"

namespace liftwave {

namespace baseline {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

const InstructionSet* instruction_sets(int& count) {
  static const InstructionSet sets[] = {
      {"baseline", true, &baseline::kernels},
#if defined(LIFTWAVE_HAS_AVX2)
      {"avx2", has_avx2(), &avx2::kernels},
#endif
#if defined(LIFTWAVE_HAS_AVX512)
      {"avx512", has_avx512(), &avx512::kernels},
#endif
  };
  count = static_cast<int>(sizeof(sets) / sizeof(sets[0]));
  return sets;
}

}  // namespace liftwave
