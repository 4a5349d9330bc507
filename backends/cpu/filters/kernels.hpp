// Filter banks: the kernels of one instruction set.
#pragma once

#include "common/array_view.hpp"
#include "common/by_precision.hpp"
#include "filters/circular.hpp"
#include "filters/line_cascade.hpp"
#include "filters/packet_blocks.hpp"
#include "filters/plan.hpp"

namespace liftwave {

// Arrays' sizes match their plans; outputs are C-contiguous and overlap nothing.
template <class T>
struct FilterKernels {
  // The bands of an array along `count` consecutive axes, in the order of their keys: one for each
  // choice of a filter per axis.
  void (*analyse)(const ArrayView<const T>& x, const ArrayView<T>* bands, int band_count,
                  const AxisPlan* axes, int count);
  // The first levels along one axis, in one pass: the details of each, the approximation of the last.
  void (*analyse_cascade)(const LineCascade& cascade, int axis, const ArrayView<const T>& x,
                          const ArrayView<T>* details, const ArrayView<T>& approx);
  // The array with these bands; along several axes, bands without data are missing.
  void (*synthesise)(const ArrayView<const T>* bands, int band_count, const ArrayView<T>& out,
                     const AxisPlan* axes, int count);
  // All nodes below the root of a packet tree along one axis, to the results by level. The numbers
  // behind the axis are few and contiguous, in `x` and in the results.
  void (*split_packets)(const PacketLines<T>& lines, const ArrayView<const T>& x,
                        const PacketArray<T>* arrays);
  // The root, from the leaves by level.
  void (*merge_packets)(const PacketLines<T>& lines, const PacketArray<const T>* arrays,
                        const ArrayView<T>& out);
  // gradients[b * length + j] with respect to tap j, for cotangent b of an analysis. The cotangents
  // follow the input in `arrays`.
  void (*tap_gradients)(const ArrayView<const T>* arrays, int count, const AxisPlan& axis,
                        double* gradients);

  // Filters without downsampling. Inputs are contiguous from the first transformed axis on. Levels
  // along one axis: bands[2 * level] is the approximation, without data if nobody wants it (the last
  // level's has data), bands[2 * level + 1] the detail.
  void (*split_lines)(const CircularAxis* levels, int depth, const ArrayView<const T>& x,
                      const ArrayView<T>* bands);
  // Coarsest level first, bands without data are missing; only the first approximation is read. The
  // result may have the first samples only.
  void (*merge_lines)(const CircularAxis* levels, int depth, const ArrayView<const T>* bands,
                      const ArrayView<T>& out);
  // One level along several consecutive axes: all bands in the order of their keys.
  void (*split_planes)(const CircularAxis* axes, int count, const ArrayView<const T>& x,
                       const ArrayView<T>* bands);
  void (*merge_planes)(const CircularAxis* axes, int count, const ArrayView<const T>* bands,
                       const ArrayView<T>& out);
  // Several levels along the same axes, coarsest first, whose taps are equally far apart. Only the first
  // approximation is read.
  void (*merge_plane_levels)(const CircularAxis* axes, int count, int depth,
                             const ArrayView<const T>* bands, const ArrayView<T>& out);
  // As `tap_gradients`, without the taps' factor.
  void (*circular_tap_gradients)(const ArrayView<const T>* arrays, int count,
                                 const CircularAxis& axis, double* gradients);
};

using FilterTable = ByPrecision<FilterKernels>;

}  // namespace liftwave
