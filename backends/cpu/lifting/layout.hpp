// How arrays are cut into rows and columns, one or both of which are lifted.
#pragma once

#include <vector>

#include "lifting/transform.hpp"

namespace liftwave {

index_t item_size(DType dtype);
bool is_integer(DType dtype);
bool is_complex(DType dtype);

// Arrays of one layout at most: a signal and its bands, or twice a signal and two bands.
constexpr int most_arrays = 6;

// One dimension of the signal (strides[0]) and of the other arrays.
struct Dim {
  index_t size = 1;
  const LiftPlan* plan = nullptr;
  index_t strides[most_arrays] = {};
};

// Rows and columns, at least one of which is lifted, and what is repeated around them.
struct Layout {
  Dim rows;
  Dim cols;
  SmallVector<Dim, 4> batch;
  index_t batch_count = 1;

  // Where a member of the batch begins in each array, in bytes.
  void locate(index_t member, index_t (&offset)[most_arrays]) const;
};

// Throws std::logic_error unless the bands are those of the signal.
void check_bands(const ArrayRef& signal, const std::vector<ArrayRef>& bands,
                 const std::vector<AxisLift>& lifts);

// The layout of `signal` and others of as many dimensions, their sizes checked by the caller.
Layout layout_of(const ArrayRef& signal, const std::vector<ArrayRef>& others,
                 const std::vector<AxisLift>& lifts);

// Throws unless `size` numbers of `array` along the columns lie side by side: kernels write rows
// without gaps.
void check_contiguous(const Dim& cols, index_t size, std::size_t array, DType dtype);

// Lanes between two rows of a plane: rows start on cache lines, and not all on the same few sets
// of the cache. Rows shorter than a strip lie side by side.
index_t padded_pitch(index_t width, index_t real);

}  // namespace liftwave
