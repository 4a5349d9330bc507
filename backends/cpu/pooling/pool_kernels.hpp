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

  // Whether lanes run over the channels of a window, which are contiguous.
  bool reads_in_place() const {
    const int last = plan.ndim();
    return plan.channels_last && call.x.stride[last] == 1 && call.x.shape[last] >= lanes_of<T>;
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
      tile_.a = a_;
      tile_.a_at = tile_.at = at_;
      tile_.c = c_;
      tile_.beta = beta_;
      tile_.scale = scale_;
      tile_.delta = work.call.delta;
    }

    // The tile with its samples loaded.
    const WeighTile<T>& of(const Tile& windows) {
      set_places(windows);
      tile_.lanes = windows.lanes;
      tile_.stride = windows.stride;
      for (index_t k = 0; k < windows.places; ++k) at_[k] = k * windows.stride;
      gather_samples(windows, samples, work_.call.x.data, a_);
      if (work_.call.beta.data) gather_windows(windows, betas, work_.call.beta.data, beta_);
      return tile_;
    }

    // Sets the places of windows whose samples stay where they are.
    void set_in_place(const Tile& windows) {
      set_places(windows);
      tile_.a_at = windows.place_at[samples];
      beta_step_ = windows.step[betas];
    }

    // Calls `f(tile, first)` for the channels of one window, from channel `first` on.
    template <class F>
    void in_place(const index_t* at, const F& f) {
      constexpr index_t least = lanes_of<T>, most = most_lane_bytes / sizeof(T);
      const index_t channels = work_.plan.axes.back().outputs;
      for (index_t first = 0; first < channels; first += most) {
        tile_.lanes = std::clamp(channels - first, least, most);
        const index_t c = std::min(first, channels - tile_.lanes);
        tile_.a = work_.call.x.data + at[samples] + c;
        if (work_.call.beta.data) set_beta(work_.call.beta.data + at[betas], c);
        f(tile_, c);
      }
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
    // One number for all channels, or one for each.
    void set_beta(const T* beta, index_t c) {
      if (beta_step_ == 0) std::fill_n(beta_, tile_.lanes, *beta);
      tile_.beta = beta_step_ == 0 ? beta_ : beta + c;
    }

    void set_places(const Tile& windows) {
      tile_.places = windows.places;
      tile_.share = T(1) / static_cast<T>(windows.places);
      tile_.part = T(0.25);
      for (index_t n = 1; n < windows.places; n += n) tile_.part /= T(2);
      tile_.whole = static_cast<T>(windows.places) * tile_.part;
    }

    const PoolWork& work_;
    WeighTile<T> tile_{};
    T *a_, *c_, *beta_, *scale_;
    index_t *at_, beta_step_ = 0;
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

// The channels of one window after the other.
template <class T>
void pool_channels(const PoolWork<T>& work, typename PoolWork<T>::Tiles& tiles, Sweep<T>& sweep,
                   const WindowPart& part, T* result) {
  void (*compute)(const WeighTile<T>&) = nullptr;
  const auto prepare = [&](const Tile& tile) {
    tiles.set_in_place(tile);
    compute = work.functions(tile.places).pool;
  };
  sweep.over_channels(part, prepare, [&](const index_t* at) {
    tiles.in_place(at, [&](WeighTile<T>& region, index_t c) {
      region.sum = result + at[work.results] + c;
      compute(region);
    });
  });
}

template <class T>
void pool(const PoolCall<T>& call, T* result) {
  const PoolWork<T> work(call);
  const Operand operands[] = {work.of(call.x, true), work.all_windows(), {}, work.of(call.beta, false)};
  work.run([&](const WindowPart& part, Scratch& scratch) {
    typename PoolWork<T>::Tiles tiles(work, scratch);
    Sweep<T> sweep(work.plan, operands, 4);
    if (work.reads_in_place()) return pool_channels(work, tiles, sweep, part, result);
    sweep.over(part, false, [&](const Tile& tile) {
      const WeighTile<T>& region = tiles.of(tile);
      work.functions(tile.places).pool(region);
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
    Sweep<T> sweep(work.plan, operands, 3);
    if (work.reads_in_place()) {
      const index_t* place_at = nullptr;
      const auto prepare = [&](const Tile& tile) {
        tiles.set_in_place(tile);
        place_at = tile.place_at[flat];
      };
      return sweep.over_channels(part, prepare, [&](const index_t* at) {
        tiles.in_place(at, [&](WeighTile<T>& region, index_t c) {
          region.sum = result + at[work.results] + c;
          largest(region, place);
          std::int64_t* const to = places + at[work.results] + c;
          for (index_t i = 0; i < region.lanes; ++i) to[i] = at[flat] + place_at[place[i]];
        });
      });
    }
    sweep.over(part, false, [&](const Tile& tile) {
      const WeighTile<T>& region = tiles.of(tile);
      largest(region, place);
      work.put_windows(tile, region.sum, work.results, part, result);
      for (index_t p = 0; p < tile.count; ++p) {
        const Piece& piece = tile.pieces[p];
        for (index_t i = 0; i < piece.count; ++i) {
          const index_t at = tile.place_at[flat][place[piece.lane + i]];
          places[piece.at[work.results] + i] = piece.at[flat] + i * tile.step[flat] + at;
        }
      }
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
