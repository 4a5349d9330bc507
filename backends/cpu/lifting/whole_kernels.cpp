// Compiled once per instruction set: see common/isa.hpp.
#include "lifting/whole_kernels.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const WholeTable whole_table;
const WholeTable whole_table{
    {split_whole<float>, split_whole_planes<float>, merge_whole<float>},
    {split_whole<double>, split_whole_planes<double>, merge_whole<double>},
    {split_whole<std::int16_t>, split_whole_planes<std::int16_t>, merge_whole<std::int16_t>},
    {split_whole<std::int32_t>, split_whole_planes<std::int32_t>, merge_whole<std::int32_t>},
    {split_whole<std::int64_t>, split_whole_planes<std::int64_t>, merge_whole<std::int64_t>}};

}  // namespace liftwave::LIFTWAVE_ISA
