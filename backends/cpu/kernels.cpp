// Compiled once per instruction set: see common/isa.hpp.
#include "kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const FilterTable filter_table;
LiftKernels lift_kernels(DType work, Sums sums);
GradientKernel lift_gradient_kernel(DType work);
extern const WholeTable whole_table;
extern const PoolTable pool_table;
extern const LiftPoolTable lift_pool_table;
extern const SpectralTable spectral_table;
extern const TimeFrequencyTable time_frequency_table;
extern const DualTreeTable dual_tree_table;

extern const Kernels kernels;
const Kernels kernels{&filter_table,    lift_kernels,    lift_gradient_kernel,
                      &whole_table,     &pool_table,     &lift_pool_table,
                      &spectral_table,  &time_frequency_table, &dual_tree_table};

}  // namespace liftwave::LIFTWAVE_ISA
