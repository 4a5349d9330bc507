// The job of a lifting kernel: one tile, described without any class that owns memory.
//
// The tile kernels (tile_kernels.hpp) are compiled once per instruction set. They use these plain
// structures only. The driver (transform.cpp) fills them.
#pragma once

#include "common/dtype.hpp"
#include "lifting/plan.hpp"
#include "lifting/schedule.hpp"

namespace liftwave {

// The part of a 2-D array that row and column numbers address; strides in bytes.
struct View {
  char* data = nullptr;
  index_t row_stride = 0;
  index_t col_stride = 0;

  LIFTWAVE_INLINE char* row(index_t i) const { return data + i * row_stride; }
};

// One axis of a tile. Without a plan (`steps_count` < 0) the axis is not lifted.
struct AxisJob {
  index_t n = 0;                // samples
  index_t length[2] = {0, 0};   // of the bands
  Edge edge = Edge::none;
  index_t shift[2] = {0, 0};
  double scale[2] = {1, 1};
  const Step* steps = nullptr;
  const Range* targets = nullptr;
  index_t step_count = 0;
  Range pairs;                  // of the tile; without a plan, plain indices
  Range load[2];
  Range samples;
  bool wraps = false;
  bool lifted = false;          // whether the axis has a plan
  const Move* moves = nullptr;  // the schedule of rows; null without one
  index_t move_count = 0;
  index_t slots[2] = {1, 1};

  LIFTWAVE_INLINE index_t padded() const { return n + (edge == Edge::none ? 0 : 1); }
};

// Lanes that are changed together: the rows of a tile, this wide, fit the L1 cache.
constexpr index_t strip_bytes = 256;

// The largest size of one term of a sum, in bytes.
constexpr index_t term_bytes = 24;

// Memory of one thread for one tile.
struct TileScratch {
  char* plane[2] = {nullptr, nullptr};  // even and odd rows: all, or those held at a time
  const char** where[2] = {nullptr, nullptr};  // where rows are: in a plane, or the input
  char* zeros = nullptr;                       // a row of zeros
  char* terms = nullptr;                       // those of one step's sum
  index_t pitch = 0;                    // reals between two rows of a plane
  char* row = nullptr;                  // a row of samples
  char* line[2] = {nullptr, nullptr};   // even and odd samples of a row
};

struct TileJob {
  AxisJob rows;
  AxisJob cols;
  DType input = DType::float32;
  View signal;        // input of an analysis, output of a synthesis
  View band[2][2];    // [of the rows][of the columns]; [0][…] or […][0] where an axis has no plan
  TileScratch scratch;
  bool stream = false;            // whether results are too large for the caches
  index_t largest = 0;            // the largest magnitude of a sample in 16-bit lanes
};

// Lifts a tile. False if a sample is too large for 16-bit lanes: then some results are missing.
using TileKernel = bool (*)(const TileJob&);

// The kernels for one dtype of the results; null pointers if the dtype has none.
struct LiftKernels {
  TileKernel analysis = nullptr;
  TileKernel synthesis = nullptr;
};

// How integer steps sum: exact modulo the range of the results, as 64-bit sums would be.
enum class Sums {
  lanes16,  // samples and sums in 16 bits, which hold them if no sample exceeds `largest`
  narrow,  // in 32 bits, which hold the sums for all samples
  split,   // high and low bits of the samples separately, in 32 bits each
  wide,    // in 64 bits
};

// Returns the kernels for a dtype of the results.
using LiftTable = LiftKernels (*)(DType work, Sums sums);

}  // namespace liftwave
