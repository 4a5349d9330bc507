#include "python/lifting_groups.hpp"

#include <algorithm>

#include "common/require.hpp"
#include "lifting/layout.hpp"

namespace liftwave {
namespace {

// An array of this dtype with the shape of `like`, without memory.
ArrayRef shaped(const ArrayRef& like, DType dtype) {
  ArrayRef array;
  array.dtype = dtype;
  array.shape = like.shape;
  return array;
}

}  // namespace

Group::Group(const GroupArgument& argument) {
  for (const auto& [axis, plan] : argument) {
    lifts.push_back({axis, nb::cast<const LiftPlan*>(plan)});
    plans.push_back(plan);
  }
  if (lifts.empty() || lifts.size() > 2) fail("one or two axes are lifted");
}

bool Group::has_axes(std::size_t ndim) const {
  return std::all_of(lifts.begin(), lifts.end(), [ndim](const AxisLift& lift) {
    return lift.axis >= 0 && static_cast<std::size_t>(lift.axis) < ndim;
  });
}

std::vector<std::vector<Group>> groups_of(const std::vector<LevelArgument>& arguments) {
  std::vector<std::vector<Group>> levels;
  for (const LevelArgument& argument : arguments) {
    std::vector<Group>& groups = levels.emplace_back();
    for (const GroupArgument& group : argument) groups.emplace_back(group);
    if (groups.empty()) fail("a level has no axis");
  }
  if (levels.empty()) fail("there are no levels");
  return levels;
}

std::size_t bands_of(const std::vector<Group>& groups) {
  std::size_t bands = 1;
  for (const Group& group : groups) bands *= group.bands();
  return bands;
}

index_t samples_of(const ArrayRef& a) {
  index_t samples = 1;
  for (const index_t n : a.shape) samples *= n;
  return samples;
}

void place(ArrayRef& array, char* data) {
  array.data = data;
  array.strides.resize(array.shape.size());
  index_t stride = item_size(array.dtype);
  for (std::size_t d = array.shape.size(); d-- > 0;) {
    array.strides[d] = stride;
    stride *= array.shape[d];
  }
}

void take(ArrayRef& array, Scratch& scratch) {
  place(array, scratch.take<char>(samples_of(array) * item_size(array.dtype)));
}

nb::object allocated_for(ArrayRef& array, nb::handle allocate, nb::handle dtype, PythonArray& memory) {
  nb::object result = allocated(
      allocate, tuple_of(array.shape.begin(), static_cast<int>(array.shape.size())), dtype);
  memory.open_result(result);
  array.dtype = memory.dtype();
  place(array, memory.data());
  return result;
}

double bytes_of(const ArrayRef& a) {
  return static_cast<double>(samples_of(a)) * static_cast<double>(item_size(a.dtype));
}

ArrayRef band_of(const ArrayRef& signal, const Group& group, std::size_t b, DType dtype) {
  ArrayRef band = shaped(signal, dtype);
  for (std::size_t i = 0; i < group.lifts.size(); ++i) {
    const AxisLift& lift = group.lifts[i];
    band.shape.at(static_cast<std::size_t>(lift.axis)) =
        lift.plan->length(static_cast<int>(b >> (group.lifts.size() - 1 - i) & 1));
  }
  return band;
}

ArrayRef signal_of(const ArrayRef& band, const Group& group) {
  ArrayRef signal = shaped(band, band.dtype);
  for (const AxisLift& lift : group.lifts) {
    signal.shape.at(static_cast<std::size_t>(lift.axis)) = lift.plan->n();
  }
  return signal;
}

}  // namespace liftwave
