// Compiled once per instruction set: see common/isa.hpp.
#include "dual_tree/kernels.hpp"
#include "dual_tree/analysis.hpp"
#include "dual_tree/synthesis.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const DualTreeTable dual_tree_table;
const DualTreeTable dual_tree_table{{split_dual_tree<float>, merge_dual_tree<float>},
                                    {split_dual_tree<double>, merge_dual_tree<double>}};

}  // namespace liftwave::LIFTWAVE_ISA
