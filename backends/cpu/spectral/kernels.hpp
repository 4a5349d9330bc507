// Rows of continuous transforms: the kernels of one instruction set.
#pragma once

#include "common/by_precision.hpp"
#include "common/index.hpp"
#include "spectral/plan.hpp"

namespace liftwave {

template <class T>
struct SpectralKernels {
  // All rows of `batch` spectra, each of which begins `between` complex numbers behind the one
  // before. Results are C-contiguous: batch, rows, columns.
  void (*rows)(const SpectralRows<T>& rows, const T* spectra, index_t between, index_t batch, T* out);
};

using SpectralTable = ByPrecision<SpectralKernels>;

}  // namespace liftwave
