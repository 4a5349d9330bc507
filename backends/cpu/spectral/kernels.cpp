// Compiled once per instruction set: see common/isa.hpp.
#include "spectral/kernels.hpp"
#include "spectral/rows.hpp"

namespace liftwave::LIFTWAVE_ISA {

extern const SpectralTable spectral_table;
const SpectralTable spectral_table{{spectral_rows<float>}, {spectral_rows<double>}};

}  // namespace liftwave::LIFTWAVE_ISA
