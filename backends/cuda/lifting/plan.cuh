// Arguments of the lifting kernels: steps, axes cut into tiles, arrays.
#pragma once
#include "common/arrays.cuh"
#include "common/boundary.cuh"
#include "common/numbers.cuh"

namespace liftwave {

// target[k] += sum_j tap[first + j] * source[k + offset + j], with the source extended.
struct LiftStep {
  short first, length, offset;
  short before, after;               // places beyond the ends whose increments are folded back
  signed char target, subtract;
  signed char extend, fold;          // modes
  signed char bits;                  // of taps in fixed point
  signed char narrow;                // whether sums of products with 16-bit numbers have 32 bits
};

template <class R>
struct GivenSteps {
  R tap[160];
  LiftStep step[112];
};

// Addresses of learned taps and scales on the device; null for fixed ones.
template <class R>
struct LearnedSteps {
  const R* place[48];
  const R* scale_place[2][2];
  R tap[96];
  LiftStep step[48];
};

template <class W>
constexpr bool is_integer =
    !(same<W, float> || same<W, double> || same<W, complex<float>> || same<W, complex<double>>);

template <class W, bool Integer = is_integer<W>>
struct TapOf {
  typedef real_t<W> type;
};
template <class W>
struct TapOf<W, true> {
  typedef long long type;
};
// The type of the taps for computation type W.
template <class W>
using tap_t = typename TapOf<W>::type;

template <bool Learned, class R>
struct StepsOf {
  typedef GivenSteps<R> type;
};
template <class R>
struct StepsOf<true, R> {
  typedef LearnedSteps<R> type;
};

// One of a tile's two axes. Without lifting along it, a pair is one number.
struct LiftAxis {
  index_t n;         // samples
  index_t padded;    // samples, padded to an even number
  index_t shift[2];  // roll of the bands: less than their lengths
  index_t tiles;
  int halo[2];       // pairs before and behind a tile's own
  int first, steps;  // its steps among those of both axes
  int periodic;
  int repeats;       // 1: an odd number of samples is padded with the last one; 0: with zero
  int room;          // the most pairs in a tile
  int padding;
};

template <class R, bool Learned>
struct LiftArguments {
  Array signal, band[4];
  Batch batch;
  LiftAxis axis[2];  // rows and columns of tiles
  R scale[2][2];     // of each axis and channel
  index_t blocks;
  int log_width;     // of the threads side by side along columns
  int columns_first;
  int paired;        // whether two samples are read at once
  int taps;          // of all steps
  typename StepsOf<Learned, R>::type steps;
};

// --- tiles ---------------------------------------------------------------------------------------

// Pairs of a tile along an axis, numbered from 0 in the tile.
struct Span {
  index_t start;      // the signal's pair at index 0
  int begin, end;     // the tile's own pairs
  int size;           // all pairs in the tile
  int even, odd;      // lengths of both channels inside the tile
  bool first, last;   // whether the signal ends there, such that steps handle the end

  // No member is indexed, so that all can be in registers.
  __device__ int length(int channel) const { return channel ? odd : even; }
};

__device__ inline Span chosen(bool which, const Span& a, const Span& b) {
  return {which ? a.start : b.start, which ? a.begin : b.begin, which ? a.end : b.end,
          which ? a.size : b.size,   which ? a.even : b.even,   which ? a.odd : b.odd,
          which ? a.first : b.first, which ? a.last : b.last};
}

template <bool Lifted>
__device__ Span span_of(const LiftAxis& axis, index_t tile) {
  const index_t count = Lifted ? (axis.padded + 1) / 2 : axis.n;
  const index_t each = count / axis.tiles, more = count - each * axis.tiles;
  const index_t begin = tile * each + (tile < more ? tile : more);
  const index_t end = begin + each + (tile < more ? 1 : 0);
  Span s;
  s.first = !axis.periodic && tile == 0;
  s.last = !axis.periodic && tile == axis.tiles - 1;
  s.start = s.first ? begin : begin - axis.halo[0];
  s.begin = int(begin - s.start);
  s.end = int(end - s.start);
  s.size = s.end + (s.last ? 0 : axis.halo[1]);
  s.even = s.size;
  s.odd = s.last && Lifted ? int(axis.padded / 2 - s.start) : s.size;
  return s;
}

// A place not far beyond the ends of n numbers, wrapped around.
__device__ inline index_t around(index_t i, index_t n) {
#pragma unroll 1
  while (i < 0) i += n;
#pragma unroll 1
  while (i >= n) i -= n;
  return i;
}

// Where neighbouring numbers of a tile are in memory: those of the signal, or of a band. Only tiles
// at the ends of a periodic axis wrap around.
struct Places {
  index_t origin, length;
  bool wraps;

  __device__ Places(index_t origin, int size, index_t length, bool periodic)
      : origin(origin),
        length(length),
        wraps(periodic && (origin < 0 || origin + size > length)) {}
  __device__ index_t operator()(int i) const {
    return wraps ? around(origin + i, length) : origin + i;
  }
};

// The signal's samples at local places i; -1 for zero.
template <bool Lifted>
struct SamplePlaces {
  Places places;
  index_t n, padding;  // samples, and the place of the one behind an odd number

  __device__ SamplePlaces(const LiftAxis& axis, const Span& span)
      : places(Lifted ? 2 * span.start : span.start, Lifted ? 2 * span.size : span.size,
               axis.padded, Lifted && axis.periodic),
        n(axis.n),
        padding(axis.repeats ? axis.n - 1 : -1) {}
  __device__ index_t operator()(int i) const {
    const index_t s = places(i);
    if constexpr (!Lifted) return s;
    return s < n ? s : padding;
  }
};

// The indices of the coefficients of local pairs in their band.
template <bool Lifted>
__device__ Places places_of(const LiftAxis& axis, const Span& span, int channel) {
  const bool rolled = Lifted && axis.periodic;
  return {span.start + (rolled ? axis.shift[channel] : 0), span.size, axis.padded / 2, rolled};
}

// Computes the tile numbers of a block; returns its batch item.
template <class A>
__device__ index_t tile_of(const A& a, index_t block, index_t (&tile)[2]) {
  index_t rest = block / a.axis[1].tiles;
  tile[1] = block - rest * a.axis[1].tiles;
  const index_t item = rest / a.axis[0].tiles;
  tile[0] = rest - item * a.axis[0].tiles;
  return item;
}

// Threads side by side along columns, the others along rows.
struct Threads {
  int x, y, width, height;
};

__device__ inline Threads threads_of(int log_width) {
  const int width = 1 << log_width, thread = int(threadIdx.x);
  return {thread & (width - 1), thread >> log_width, width, int(blockDim.x) >> log_width};
}

// The tile in shared memory: rows of even and of odd samples, in each even and odd columns.
template <bool Rows, bool Columns>
struct Layout {
  int pitch, rows;  // room of each channel

  __device__ int row() const { return Columns ? 2 * pitch : pitch; }
  __device__ int at(int channel_y, int y, int channel_x, int x) const {
    return (channel_y * rows + y) * row() + channel_x * pitch + x;
  }
};

}  // namespace liftwave
