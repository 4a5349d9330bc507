// Lifting levels as Python passes them, and the shapes of their arrays.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "lifting/transform.hpp"
#include "python/arrays.hpp"

namespace liftwave {

// One axis, or two that are lifted together, in the order of an analysis.
using GroupArgument = std::vector<std::pair<int, nb::object>>;
using LevelArgument = std::vector<GroupArgument>;

struct Group {
  std::vector<AxisLift> lifts;
  std::vector<nb::object> plans;  // own the plans that `lifts` points to

  explicit Group(const GroupArgument& argument);

  std::size_t bands() const { return std::size_t{1} << lifts.size(); }
  bool has_axes(std::size_t ndim) const;
};

std::vector<std::vector<Group>> groups_of(const std::vector<LevelArgument>& arguments);

// The number of bands of a level.
std::size_t bands_of(const std::vector<Group>& groups);

index_t samples_of(const ArrayRef& a);
double bytes_of(const ArrayRef& a);

// The shapes of band `b` (by key) of a group, and of the signal of such bands, without memory.
ArrayRef band_of(const ArrayRef& signal, const Group& group, std::size_t b, DType dtype);
ArrayRef signal_of(const ArrayRef& band, const Group& group);

// Sets the memory of an array, C-contiguous: `data`, or from `scratch`, or from `allocate`, whose
// array is returned and opened as `memory`.
void place(ArrayRef& array, char* data);
void take(ArrayRef& array, Scratch& scratch);
nb::object allocated_for(ArrayRef& array, nb::handle allocate, nb::handle dtype, PythonArray& memory);

}  // namespace liftwave
