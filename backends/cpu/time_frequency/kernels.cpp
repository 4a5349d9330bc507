// Compiled once per instruction set: see common/isa.hpp.
#include "time_frequency/squeeze.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const TimeFrequencyTable time_frequency_table;
const TimeFrequencyTable time_frequency_table{time_frequency_kernels_of<float>(),
                                              time_frequency_kernels_of<double>()};

}  // namespace liftwave::LIFTWAVE_ISA
