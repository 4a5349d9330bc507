// Compiled once per instruction set: see common/isa.hpp.
#include "lifting/whole_increment.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T>
constexpr WholeKernels<T> whole_kernels{split_whole<T>, split_whole_planes<T>, merge_whole<T>,
                                        increment_whole<T>};

extern const WholeTable whole_table;
const WholeTable whole_table{whole_kernels<float>, whole_kernels<double>, whole_kernels<std::int16_t>,
                             whole_kernels<std::int32_t>, whole_kernels<std::int64_t>};

}  // namespace liftwave::LIFTWAVE_ISA
