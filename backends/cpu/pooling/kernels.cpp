// Compiled once per instruction set: see common/isa.hpp.
#include "pooling/pool_kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const PoolTable pool_table;
const PoolTable pool_table{pool_kernels_of<float>(), pool_kernels_of<double>()};

}  // namespace liftwave::LIFTWAVE_ISA
