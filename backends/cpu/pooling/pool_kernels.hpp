// Pooling over windows: gathers samples into tiles, computes on the tiles, stores the results.
#pragma once

#include "pooling/weights.hpp"
#include "pooling/window_sweep.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Strides of C-contiguous arrays, planes first.
struct Contiguous {
  index_t samples[max_dimensions + 1], windows[max_dimensions + 1];

  explicit Contiguous(const WindowPlan& plan) {
    fill(plan, &WindowAxis::inputs, samples);
    fill(plan, &WindowAxis::outputs, windows);
  }

 private:
  static void fill(const WindowPlan& plan, index_t WindowAxis::*size, index_t* stride) {
    stride[plan.ndim()] = 1;
    for (int d = plan.ndim(); d > 0; --d) stride[d - 1] = stride[d] * (plan.axes[d - 1].*size);
  }
};

// The common parts of all kernels of one call.
template <class T>
struct PoolWork {
  enum : int { samples, results, windows, betas, others };  // operands

  const PoolCall<T>& call;
  const WindowPlan& plan;
  Contiguous contiguous;
  WindowParts parts;
  double bytes;
  bool line;  // the only axis is both the first and the last

  explicit PoolWork(const PoolCall<T>& c)
      : call(c), plan(*c.plan), contiguous(plan), parts(plan, c.x.shape[0], sizeof(T)),
        bytes(static_cast<double>(numbers_of(c.x)) * sizeof(T) * 4), line(plan.ndim() == 1) {}

  // Runs `work` on all parts, with separate memory for each thread.
  template <class Work>
  void run(const Work& work) const {
    parallel_for(parts.count(), bytes, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        Scratch scratch;
        work(parts.at(i), scratch);
      }
    });
  }

  // Writes zeros if the part adds to an array of samples.
  void clear(const WindowPart& part, T* result) const {
    const index_t row = contiguous.samples[1];
    Pace pace;
    for (index_t plane = part.plane; plane < part.last_plane; ++plane) {
      T* first = result + plane * contiguous.samples[0];
      pace.fill(first + part.sample * row, (part.last_sample - part.sample) * row, T(0));
    }
  }

  static Operand of(const ArrayView<const T>& array, bool per_sample) {
    return array.data ? Operand{array.stride, array.shape[0], per_sample} : Operand{};
  }
  Operand all_samples() const { return {contiguous.samples, call.x.shape[0], true}; }
  Operand all_windows() const { return {contiguous.windows, call.x.shape[0], false}; }

  TileFunctions<T> functions(index_t places) const {
    return tile_functions<T>(call.weights, places);
  }

  // A tile's memory, with its samples and betas.
  class Tiles {
   public:
    Tiles(const PoolWork& work, Scratch& scratch) : work_(work) {
      const index_t numbers = Sweep<T>::numbers(work.plan);
      for (T** place : {&a_, &tile_.d, &tile_.w, &tile_.second_w, &tile_.second_d, &c_}) {
        *place = scratch.take<T>(numbers);
      }
      for (T** lanes : {&beta_, &scale_, &tile_.sum, &tile_.contrast}) {
        *lanes = scratch.take<T>(most_lane_bytes / sizeof(T));
      }
      at_ = scratch.take<index_t>(work.plan.most_places());
      tile_.at = at_;
      tile_.c = c_;
      tile_.scale = scale_;
      tile_.delta = work.call.delta;
    }

    // The tile with its samples loaded.
    const WeighTile<T>& of(const Tile& windows) {
      prepare(windows);
      gather_samples(windows, samples, work_.call.x.data, a_);
      return tile_;
    }

    // Calls `f(tile, piece)` for tiles of one piece, whose samples stay where they are. False if
    // neighbouring windows are not contiguous, or fewer than a register holds.
    template <class F>
    bool in_place(const Tile& windows, const F& f) {
      if (windows.step[samples] != 1 || windows.run != 1 || fewest(windows) < lanes_of<T>) return false;
      prepare(windows);
      tile_.a_at = windows.place_at[samples];
      for (index_t p = 0; p < windows.count; ++p) {
        const Piece& piece = windows.pieces[p];
        tile_.a = work_.call.x.data + piece.at[samples];
        tile_.beta = beta_ + piece.lane;
        tile_.lanes = piece.count;
        prefetch_behind(piece);
        f(tile_, piece);
      }
      return true;
    }

    // Sets the factors of the results: numbers per window (null: ones), times `by`.
    void scale(const Tile& windows, const T* data, T by) {
      std::fill_n(scale_, windows.lanes, by);
      if (!data) return;
      gather_windows(windows, PoolWork::windows, data, scale_);
      if (by != T(1)) std::transform(scale_, scale_ + windows.lanes, scale_, [by](T s) { return s * by; });
    }

    // Loads the cotangents of the weights.
    void cotangents(const Tile& windows, const T* data) {
      gather_samples(windows, others, data, c_);
    }

   private:
    static index_t fewest(const Tile& windows) {
      index_t least = windows.lanes;
      for (index_t p = 0; p < windows.count; ++p) least = std::min(least, windows.pieces[p].count);
      return least;
    }

    // The samples of the pieces that follow in memory.
    void prefetch_behind(const Piece& piece) const {
      constexpr index_t ahead = 2048 / sizeof(T), line = 64 / sizeof(T);
      for (index_t k = 0; k < tile_.places; ++k) {
        const T* const from = tile_.a + tile_.a_at[k] + ahead;
        for (index_t i = 0; i < piece.count; i += line) prefetch<1>(from + i);
      }
    }

    void prepare(const Tile& windows) {
      tile_.a = a_;
      tile_.a_at = at_;
      tile_.beta = beta_;
      tile_.places = windows.places;
      tile_.lanes = windows.lanes;
      tile_.stride = windows.stride;
      for (index_t k = 0; k < windows.places; ++k) at_[k] = k * windows.stride;
      tile_.share = T(1) / static_cast<T>(windows.places);
      tile_.part = T(0.25);
      for (index_t n = 1; n < windows.places; n += n) tile_.part /= T(2);
      tile_.whole = static_cast<T>(windows.places) * tile_.part;
      if (work_.call.beta.data) gather_windows(windows, betas, work_.call.beta.data, beta_);
    }

    const PoolWork& work_;
    WeighTile<T> tile_{};
    T *a_, *c_, *beta_, *scale_;
    index_t* at_;
  };

  // Adds the numbers at all places of windows to the samples of the part.
  void put_samples(const Tile& tile, const T* from, const WindowPart& part, T* result) const {
    const Rows rows{part.sample, part.last_sample};
    if (plan.overlap()) Scatter<T, true>(tile, results, from, result, rows, line).run();
    else Scatter<T, false>(tile, results, from, result, rows, line).run();
  }

  void put_windows(const Tile& tile, const T* from, int operand, const WindowPart& part,
                   T* result) const {
    scatter_windows(tile, operand, from, result, {part.window, part.last_window}, line);
  }
};

template <class T>
void pool(const PoolCall<T>& call, T* result) {
  const PoolWork<T> work(call);
  const Operand operands[] = {work.of(call.x, true), work.all_windows(), {}, work.of(call.beta, false)};
  work.run([&](const WindowPart& part, Scratch& scratch) {
    typename PoolWork<T>::Tiles tiles(work, scratch);
    Sweep<T>(work.plan, operands, 4).over(part, false, [&](const Tile& tile) {
      const auto compute = work.functions(tile.places).pool;
      const bool done = tiles.in_place(tile, [&](WeighTile<T> region, const Piece& piece) {
        region.sum = result + piece.at[work.results];
        compute(region);
      });
      if (done) return;
      const WeighTile<T>& region = tiles.of(tile);
      compute(region);
      work.put_windows(tile, region.sum, work.results, part, result);
    });
  });
}

template <class T>
void pool_vjp(const PoolCall<T>& call, T* of_x, T* of_beta) {
  const PoolWork<T> work(call);
  const Operand operands[] = {work.of(call.x, true), work.all_samples(),
                              work.of(call.cotangent, false), work.of(call.beta, false),
                              work.all_windows()};
  work.run([&](const WindowPart& part, Scratch& scratch) {
    if (work.plan.overlap() || !work.plan.cover()) work.clear(part, of_x);
    typename PoolWork<T>::Tiles tiles(work, scratch);
    Sweep<T>(work.plan, operands, 5).over(part, true, [&](const Tile& tile) {
      const WeighTile<T>& region = tiles.of(tile);
      tiles.scale(tile, call.cotangent.data, T(1));
      work.functions(tile.places).pull_pooling(region);
      work.put_samples(tile, region.d, part, of_x);
      if (of_beta) work.put_windows(tile, region.contrast, work.others, part, of_beta);
    });
  });
}

template <class T>
void unpool(const PoolCall<T>& call, T* result) {
  const PoolWork<T> work(call);
  const Operand operands[] = {work.of(call.x, true), work.all_samples(),
                              work.of(call.pooled, false), work.of(call.beta, false)};
  work.run([&](const WindowPart& part, Scratch& scratch) {
    if (work.plan.overlap() || !work.plan.cover()) work.clear(part, result);
    typename PoolWork<T>::Tiles tiles(work, scratch);
    Sweep<T>(work.plan, operands, 4).over(part, true, [&](const Tile& tile) {
      const WeighTile<T>& region = tiles.of(tile);
      tiles.scale(tile, call.pooled.data, call.average ? static_cast<T>(tile.places) : T(1));
      work.functions(tile.places).weigh(region);
      work.put_samples(tile, region.d, part, result);
    });
  });
}

template <class T>
void unpool_vjp(const PoolCall<T>& call, T* of_x, T* of_pooled, T* of_beta) {
  const PoolWork<T> work(call);
  const Operand operands[] = {work.of(call.x, true),         work.all_samples(),
                              work.of(call.pooled, false),   work.of(call.beta, false),
                              work.of(call.cotangent, true), work.all_windows()};
  constexpr int of_windows = 5;
  work.run([&](const WindowPart& part, Scratch& scratch) {
    if (work.plan.overlap() || !work.plan.cover()) work.clear(part, of_x);
    typename PoolWork<T>::Tiles tiles(work, scratch);
    Sweep<T>(work.plan, operands, 6).over(part, true, [&](const Tile& tile) {
      const T by = call.average ? static_cast<T>(tile.places) : T(1);
      const WeighTile<T>& region = tiles.of(tile);
      tiles.cotangents(tile, call.cotangent.data);
      tiles.scale(tile, call.pooled.data, by);
      work.functions(tile.places).pull_unpooling(region);
      work.put_samples(tile, region.d, part, of_x);
      if (of_beta) work.put_windows(tile, region.contrast, of_windows, part, of_beta);
      std::transform(region.sum, region.sum + tile.lanes, region.sum, [by](T s) { return s * by; });
      work.put_windows(tile, region.sum, of_windows, part, of_pooled);
    });
  });
}

// The largest number at each place, and the place; NaN is larger than any number.
template <class T>
void largest(const WeighTile<T>& tile, typename PackOf<T>::Int* place) {
  for_packs(tile, [&](index_t lane) LIFTWAVE_INLINE_LAMBDA {
    const Region<T, 0> a = region_at<T, 0>(tile, lane);
    Pack<T> top = a[0];
    IntPack<T> at{};
    a.for_rest([&](index_t k) LIFTWAVE_INLINE_LAMBDA {
      const Pack<T> sample = a[k];
      const auto better = (sample > top) | ((sample != sample) & (top == top));
      top = better ? sample : top;
      at = better ? IntPack<T>{} + static_cast<typename PackOf<T>::Int>(k) : at;
    });
    put<T>(tile.sum + lane, top);
    std::memcpy(place + lane, &at, sizeof at);
  });
}

// Strides of flat places within a plane. Places do not count the channels.
inline void places_in_plane(const WindowPlan& plan, const Contiguous& contiguous, index_t* stride) {
  std::copy_n(contiguous.samples, plan.ndim() + 1, stride);
  stride[0] = 0;
  if (!plan.channels_last) return;
  for (int d = 1; d < plan.ndim(); ++d) stride[d] /= plan.axes.back().inputs;
  stride[plan.ndim()] = 0;
}

template <class T>
void max_pool(const PoolCall<T>& call, T* result, std::int64_t* places) {
  using Int = typename PackOf<T>::Int;
  const PoolWork<T> work(call);
  index_t in_plane[max_dimensions + 1];
  places_in_plane(work.plan, work.contiguous, in_plane);
  const Operand operands[] = {work.of(call.x, true), work.all_windows(),
                              {in_plane, call.x.shape[0], true}};
  constexpr int flat = 2;
  work.run([&](const WindowPart& part, Scratch& scratch) {
    typename PoolWork<T>::Tiles tiles(work, scratch);
    Int* place = scratch.take<Int>(most_lane_bytes / sizeof(T));
    Sweep<T>(work.plan, operands, 3).over(part, false, [&](const Tile& tile) {
      const auto put_places = [&](const Piece& piece, const Int* of_lanes) {
        std::int64_t* const to = places + piece.at[work.results];
        for (index_t i = 0; i < piece.count; ++i) {
          to[i] = piece.at[flat] + i * tile.step[flat] + tile.place_at[flat][of_lanes[i]];
        }
      };
      const bool done = tiles.in_place(tile, [&](WeighTile<T> region, const Piece& piece) {
        region.sum = result + piece.at[work.results];
        largest(region, place);
        put_places(piece, place);
      });
      if (done) return;
      const WeighTile<T>& region = tiles.of(tile);
      largest(region, place);
      work.put_windows(tile, region.sum, work.results, part, result);
      for (index_t p = 0; p < tile.count; ++p) put_places(tile.pieces[p], place + tile.pieces[p].lane);
    });
  });
}

template <class T>
void exponentials(const T* x, index_t count, T* result) {
  for (index_t i = 0; i < count; i += lanes_of<T>) {
    const std::size_t bytes = sizeof(T) * static_cast<std::size_t>(std::min(lanes_of<T>, count - i));
    Pack<T> v{};
    std::memcpy(&v, x + i, bytes);
    v = exponential<T>(v);
    std::memcpy(result + i, &v, bytes);
  }
}

template <class T>
constexpr PoolKernels<T> pool_kernels_of() {
  return {pool<T>, pool_vjp<T>, unpool<T>, unpool_vjp<T>, max_pool<T>, exponentials<T>};
}

}  // namespace liftwave::LIFTWAVE_ISA
