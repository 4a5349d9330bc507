#include "lifting/layout.hpp"

#include <utility>

#include "common/require.hpp"

namespace liftwave {
namespace {

SmallVector<Dim, 4> dims_of(const ArrayRef& signal, const std::vector<ArrayRef>& others,
                         const std::vector<AxisLift>& lifts) {
  const std::size_t ndim = signal.shape.size();
  SmallVector<Dim, 4> dims;
  dims.resize(ndim);
  for (std::size_t d = 0; d < ndim; ++d) {
    dims[d] = Dim{};
    dims[d].size = signal.shape[d];
    dims[d].strides[0] = signal.strides[d];
    for (std::size_t b = 0; b < others.size(); ++b) {
      require(others[b].shape.size() == ndim, "the arrays differ in dimensions");
      dims[d].strides[b + 1] = others[b].strides[d];
    }
  }
  for (const AxisLift& lift : lifts) {
    Dim& dim = dims.at(static_cast<std::size_t>(lift.axis));
    require(dim.plan == nullptr, "an axis is named twice");
    require(dim.size == lift.plan->n(), "the plan is for another length");
    dim.plan = lift.plan;
  }
  return dims;
}

bool side_by_side(const Dim& outer, const Dim& inner) {
  if (outer.plan || inner.plan) return false;
  for (int i = 0; i < most_arrays; ++i)
    if (outer.strides[i] != inner.size * inner.strides[i]) return false;
  return true;
}

// Drops dimensions of length 1 and merges neighbours that are one dimension in memory.
SmallVector<Dim, 4> merged(const SmallVector<Dim, 4>& dims) {
  SmallVector<Dim, 4> result;
  for (const Dim& dim : dims) {
    if (dim.size == 1 && !dim.plan) continue;
    if (result.size() > 0 && side_by_side(result.back(), dim)) {
      const index_t size = result.back().size * dim.size;
      result.back() = dim;
      result.back().size = size;
    } else {
      result.push_back(dim);
    }
  }
  return result;
}

Dim taken(SmallVector<Dim, 4>& dims, std::size_t which) {
  const Dim dim = dims[which];
  dims.erase(which);
  return dim;
}

std::size_t last_lifted(const SmallVector<Dim, 4>& dims) {
  std::size_t d = dims.size();
  while (dims[--d].plan == nullptr) {
  }
  return d;
}

}  // namespace

index_t item_size(DType dtype) {
  switch (dtype) {
    case DType::int8: case DType::uint8: return 1;
    case DType::int16: case DType::uint16: return 2;
    case DType::int32: case DType::uint32: case DType::float32: return 4;
    case DType::complex128: return 16;
    default: return 8;
  }
}

bool is_integer(DType dtype) { return dtype <= DType::int64; }

bool is_complex(DType dtype) { return dtype == DType::complex64 || dtype == DType::complex128; }

void check_bands(const ArrayRef& signal, const std::vector<ArrayRef>& bands,
                 const std::vector<AxisLift>& lifts) {
  require(lifts.size() == 1 || lifts.size() == 2, "one or two axes are lifted");
  require(bands.size() == std::size_t{1} << lifts.size(), "there are too few or too many bands");
  for (std::size_t b = 0; b < bands.size(); ++b) {
    require(bands[b].dtype == bands[0].dtype, "the bands' dtypes differ");
    auto shape = signal.shape;
    for (std::size_t i = 0; i < lifts.size(); ++i) {
      const bool detail = b >> (lifts.size() - 1 - i) & 1;
      shape.at(static_cast<std::size_t>(lifts[i].axis)) = lifts[i].plan->length(detail);
    }
    require(bands[b].shape == shape, "a band's shape does not belong to the signal's");
  }
}

Layout layout_of(const ArrayRef& signal, const std::vector<ArrayRef>& others,
                 const std::vector<AxisLift>& lifts) {
  SmallVector<Dim, 4> dims = merged(dims_of(signal, others, lifts));
  Layout layout;
  if (lifts.size() == 2) {
    layout.cols = taken(dims, last_lifted(dims));
    layout.rows = taken(dims, last_lifted(dims));
    if (lifts[0].axis > lifts[1].axis) std::swap(layout.rows, layout.cols);
  } else if (dims.back().plan) {
    layout.cols = taken(dims, dims.size() - 1);
    if (dims.size() > 0) layout.rows = taken(dims, dims.size() - 1);
  } else {
    layout.cols = taken(dims, dims.size() - 1);
    layout.rows = taken(dims, last_lifted(dims));
  }
  layout.batch = dims;
  for (const Dim& dim : dims) layout.batch_count *= dim.size;
  return layout;
}

void Layout::locate(index_t member, index_t (&offset)[most_arrays]) const {
  for (index_t& start : offset) start = 0;
  for (const Dim* dim = batch.end(); dim != batch.begin();) {
    --dim;
    for (int array = 0; array < most_arrays; ++array)
      offset[array] += member % dim->size * dim->strides[array];
    member /= dim->size;
  }
}

void check_contiguous(const Dim& cols, index_t size, std::size_t array, DType dtype) {
  require(size <= 1 || cols.strides[array] == item_size(dtype),
          "the rows of the result are not contiguous");
}

index_t padded_pitch(index_t width, index_t real) {
  if (width * real <= strip_bytes) return width;
  constexpr index_t cache_line = 64;
  const index_t lines = (width * real + cache_line - 1) / cache_line;
  return (lines | 1) * cache_line / real;
}

}  // namespace liftwave
