// Compiled once per instruction set: see common/isa.hpp.
#include "filters/kernels.hpp"
#include "filters/cascade_analysis.hpp"
#include "filters/circular_gradients.hpp"
#include "filters/circular_planes.hpp"
#include "filters/fused_analysis.hpp"
#include "filters/fused_synthesis.hpp"
#include "filters/packet_lines.hpp"
#include "filters/tap_gradients.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const FilterTable filter_table;
const FilterTable filter_table{
    {analyse<float>, analyse_cascade<float>, synthesise<float>, split_packets<float>,
     merge_packets<float>, tap_gradients<float>, split_lines<float>, merge_lines<float>, split_planes<float>,
     merge_planes<float>, merge_plane_levels<float>, circular_tap_gradients<float>},
    {analyse<double>, analyse_cascade<double>, synthesise<double>, split_packets<double>,
     merge_packets<double>, tap_gradients<double>, split_lines<double>, merge_lines<double>, split_planes<double>,
     merge_planes<double>, merge_plane_levels<double>, circular_tap_gradients<double>}};

}  // namespace liftwave::LIFTWAVE_ISA
