// Lifting on the whole grid, without downsampling, along one axis: plain data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/array_view.hpp"
#include "common/inline.hpp"
#include "lifting/plan.hpp"

namespace liftwave {

// What is beyond the ends of both channels.
enum class Ends { joined, zero, constant, symmetric, reflected };

// t[k] ±= sum_j taps[j] s[k + place[j]]: `t` is channel `target`, `s` the other one. Transposed: each
// s[k] is added to sample k + place[j] of `t`, of those that positions beyond the ends repeat.
struct WholeStep {
  int target = 0;
  bool subtract = false, transposed = false;
  int bits = 0;  // right shift of an integer sum, after adding one half
  std::vector<index_t> place;
  std::vector<float> f32;
  std::vector<double> f64;
  std::vector<std::uint64_t> i64;
  index_t least = 0, most = 0;  // the least and the largest place

  LIFTWAVE_INLINE index_t taps() const { return static_cast<index_t>(place.size()); }

  // Samples that the targets read.
  LIFTWAVE_INLINE Range window(Range targets) const {
    return {targets.begin + least, targets.end + most};
  }
};

// Analysis: both channels begin as the signal times `weight`, steps, scales. Synthesis: scales,
// steps, the sum of both channels times `weight` (integers: their mean, rounded down).
struct WholeAxis {
  int axis = 0;
  index_t n = 0;
  Ends ends = Ends::joined;
  double weight = 1;
  double scale[2] = {1, 1};
  std::vector<WholeStep> steps;
  // See `prepare`:
  index_t reach = 1;  // positions that all steps read for one position
  index_t most_taps = 1;
  bool has_transposed = false;

  // Sets what follows from the steps.
  void prepare();

  // The sample at any position; -1 for zero.
  LIFTWAVE_INLINE index_t source(index_t i) const {
    if (i >= 0 && i < n) return i;
    switch (ends) {
      case Ends::joined: return wrapped(i, n);
      case Ends::zero: return -1;
      case Ends::constant: return i < 0 ? 0 : n - 1;
      case Ends::symmetric: {
        const index_t p = wrapped(i, 2 * n);
        return std::min(p, 2 * n - 1 - p);
      }
      default: {
        const index_t period = std::max<index_t>(2 * n - 2, 1), p = wrapped(i, period);
        return std::min(p, 2 * n - 2 - p);
      }
    }
  }

  // The samples that positions inside and outside of the signal repeat: a range that has them all.
  LIFTWAVE_INLINE Range sources(Range positions) const {
    Range inside{std::max<index_t>(positions.begin, 0), std::min(positions.end, n)};
    const auto include = [&](Range mirrored) {
      mirrored = {std::max<index_t>(mirrored.begin, 0), std::min(mirrored.end, n)};
      inside = inside.empty() ? mirrored : hull(inside, mirrored);
    };
    // Positions that are reflected twice are in a range as long as the signal.
    if (positions.begin < 0 && ends != Ends::zero) {
      include({0, ends == Ends::constant ? 1 : 1 - positions.begin});
    }
    if (positions.end > n && ends != Ends::zero) {
      include({ends == Ends::constant ? n - 1 : 2 * n - 1 - positions.end, n});
    }
    return inside;
  }
};

// The most levels that a tile passes through.
inline constexpr int max_whole_levels = 16;

// Numbers of each channel of a tile, and of a position of a tile of many numbers behind the axis.
inline constexpr index_t whole_block = 8192, largest_whole_block = 65536, whole_strip = 64;

// Numbers of both bands of the first of two axes that stay in the caches for the second one.
inline constexpr index_t whole_plane = 131072;

// Levels along one axis. Inputs and outputs are contiguous from the axis on.
template <class T>
struct WholeKernels {
  // bands[2 * level] is the approximation, which only the last level stores, bands[2 * level + 1]
  // the detail. `in_place`: a band of the only level has the memory of the signal.
  void (*split)(const WholeAxis* levels, int depth, const ArrayView<const T>& x,
                const ArrayView<T>* bands, bool in_place);
  // All bands of one level along two consecutive axes, in the order of their keys.
  void (*split_planes)(const WholeAxis* axes, const ArrayView<const T>& x, const ArrayView<T>* bands);
  // Coarsest level first; only the first approximation is read. Bands without data are zero.
  void (*merge)(const WholeAxis* levels, int depth, const ArrayView<const T>* bands,
                const ArrayView<T>& out);
  // What the only step of an axis adds to its target.
  void (*increment)(const WholeAxis& axis, const ArrayView<const T>& source, const ArrayView<T>& out);
};

struct WholeTable {
  WholeKernels<float> f32;
  WholeKernels<double> f64;
  WholeKernels<std::int16_t> i16;
  WholeKernels<std::int32_t> i32;
  WholeKernels<std::int64_t> i64;
};

template <class T>
const WholeKernels<T>& kernels_for(const WholeTable& table) {
  if constexpr (std::is_same_v<T, float>) return table.f32;
  else if constexpr (std::is_same_v<T, double>) return table.f64;
  else if constexpr (std::is_same_v<T, std::int16_t>) return table.i16;
  else if constexpr (std::is_same_v<T, std::int32_t>) return table.i32;
  else return table.i64;
}

}  // namespace liftwave
