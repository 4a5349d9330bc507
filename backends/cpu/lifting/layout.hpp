// How arrays are split into rows and columns, of which one or both are lifted.
#pragma once

#include <vector>

#include "lifting/transform.hpp"

namespace liftwave {

index_t item_size(DType dtype);
bool is_integer(DType dtype);
bool is_complex(DType dtype);

// The most arrays of one layout: a signal and its bands, or two signals with two bands each.
constexpr int most_arrays = 6;

// One dimension of the signal (strides[0]) and of the other arrays.
struct Dim {
  index_t size = 1;
  const LiftPlan* plan = nullptr;
  index_t strides[most_arrays] = {};
};

// Rows and columns, of which at least one is lifted, and the batch around them.
struct Layout {
  Dim rows;
  Dim cols;
  SmallVector<Dim, 4> batch;
  index_t batch_count = 1;

  // The offset of a member of the batch in each array, in bytes.
  void locate(index_t member, index_t (&offset)[most_arrays]) const;
};

// Throws std::logic_error unless the bands match the signal.
void check_bands(const ArrayRef& signal, const std::vector<ArrayRef>& bands,
                 const std::vector<AxisLift>& lifts);

// The layout of `signal` and other arrays with as many dimensions. The caller checks their sizes.
Layout layout_of(const ArrayRef& signal, const std::vector<ArrayRef>& others,
                 const std::vector<AxisLift>& lifts);

// Throws unless `size` numbers of `array` along the columns are contiguous: kernels write rows
// without gaps.
void check_contiguous(const Dim& cols, index_t size, std::size_t array, DType dtype);

// Lanes between two rows of a plane. Rows start on cache lines and spread over the sets of the
// cache. Rows shorter than a strip are contiguous.
index_t padded_pitch(index_t width, index_t real);

}  // namespace liftwave
