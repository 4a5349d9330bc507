// Windows over the spatial axes of an array (planes, *spatial), as liftwave/_windows.py plans them.
#pragma once

#include <vector>

#include "common/array_view.hpp"

namespace liftwave {

// Place j of window o is at sample o * stride - padding + j * dilation.
struct WindowAxis {
  index_t kernel, stride, padding, dilation, inputs, outputs;

  index_t first(index_t window) const { return window * stride - padding; }
  index_t extent() const { return (kernel - 1) * dilation + 1; }
};

// Windows begin ... end - 1 along an axis; their places lo ... hi - 1 are at samples.
struct WindowRun {
  index_t begin, end, lo, hi;
};

struct WindowPlan {
  std::vector<WindowAxis> axes;
  std::vector<std::vector<WindowRun>> runs;  // of each axis, in order

  bool channels_last;  // whether the last axis is that of the channels, each of which is a window

  // Throws std::logic_error if numbers are out of range or a window has no sample.
  WindowPlan(std::vector<WindowAxis> axes, bool channels_last);

  int ndim() const { return static_cast<int>(axes.size()); }
  index_t samples() const;      // of a plane
  index_t most_places() const;  // the most places of a window that are at samples
  bool overlap() const;         // whether a sample may be in several windows
  bool cover() const;           // whether every sample is in a window
};

// A part of the work: some planes, and of these some rows along the first axis.
struct WindowPart {
  index_t plane, last_plane;
  index_t window, last_window;  // the rows of windows
  index_t sample, last_sample;  // the rows of samples; the windows' rows partition them
};

// Parts that fit the caches and together cover all work. They do not depend on the thread count.
class WindowParts {
 public:
  WindowParts(const WindowPlan& plan, index_t planes, index_t sample_bytes);
  index_t count() const { return groups_ * chunks_; }
  WindowPart at(index_t part) const;

 private:
  const WindowPlan& plan_;
  index_t planes_, group_, groups_, rows_, chunks_;
};

}  // namespace liftwave
