// Compiled once per instruction set: see isa.hpp.
#include "liftwave/analysis.hpp"
#include "liftwave/kernels.hpp"
#include "liftwave/synthesis.hpp"
#include "liftwave/tap_gradients.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const Kernels kernels;
const Kernels kernels{
    {analyse<float>, analyse_cascade<float>, synthesise<float>, tap_gradients<float>},
    {analyse<double>, analyse_cascade<double>, synthesise<double>, tap_gradients<double>}};

}  // namespace liftwave::LIFTWAVE_ISA
