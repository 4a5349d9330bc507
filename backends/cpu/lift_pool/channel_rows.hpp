// Lifting pooling of one or two axes, of arrays whose last axis is that of the channels, without
// copies: lanes of a register run over channels, each with its own filter.
//
// The rows of a signal come in order. Each is split along itself. Of its halves, as many rows stay
// in the caches as the filters along the other axis read. Results are stored as soon as they are
// complete. Terms are added in the same order as by `Plane`, so results have the same bits.
#pragma once

#include <algorithm>
#include <cstring>

#include "common/buffer.hpp"
#include "common/parallel.hpp"
#include "lift_pool/lane_filters.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Rows of a half that stay in the caches: those numbered last.
template <class T>
class HeldRows {
 public:
  HeldRows() = default;
  HeldRows(index_t count, index_t row, Scratch& scratch)
      : count_(count), row_(row), values_(scratch.take<T>(count * row)) {}
  T* at(index_t k) const { return values_ + k % count_ * row_; }

 private:
  index_t count_ = 0, row_ = 0;
  T* values_ = nullptr;
};

// --- signals -----------------------------------------------------------------------------------

// The split of one signal, of a range of packs of channels.
template <class T, int K>
class ChannelRows {
 public:
  enum { predict = 0, update = 1 };

  // Whether the kernels support this: one or two axes whose rows are read in order.
  static bool serves(const LiftPoolJob<T>& job) {
    const auto in_order = [](const LiftPoolAxis& axis) { return axis.reads[0].held && axis.reads[1].held; };
    const LiftPoolPlan& plan = *job.plan;
    if (!job.channels_last || job.channels < lanes_of<T> || plan.dims() > 2) return false;
    return plan.dims() == 1 || in_order(plan.axes[0]);
  }

  // Packs whose rows fit the second-level cache, or fewer, so that all threads have work.
  static index_t packs_at_once(const LiftPoolJob<T>& job, index_t packs) {
    constexpr index_t bytes = 512 * 1024, parts = 8;
    const LiftPoolPlan& plan = *job.plan;
    const Held held(plan);
    const index_t row = plan.axes.back().half * lanes_of<T> * static_cast<index_t>(sizeof(T));
    const index_t fits = bytes / (2 * (held.evens + held.odds + held.details + 1) * row);
    const index_t shared = (packs * job.batch + parts - 1) / parts;
    const index_t most = std::clamp<index_t>(std::min(fits, shared), 1, packs);
    const index_t groups = (packs + most - 1) / most;
    return (packs + groups - 1) / groups;
  }

  ChannelRows(const LiftPoolJob<T>& job, const LaneFilters<T>& filters, index_t packs, bool sum,
              Scratch& scratch)
      : plan_(*job.plan), filters_(filters), channels_(job.channels), packs_(packs), sum_(sum),
        columns_(plan_.axes.back()), held_(plan_), row_(columns_.half * lanes_of<T>) {
    for (int node = 0; node < 2; ++node) {
      const index_t rows = packs_ * row_;
      evens_[node] = new_rows(held_.evens, rows, scratch);
      odds_[node] = new_rows(held_.odds, rows, scratch);
      details_[node] = new_rows(held_.details, rows, scratch);
      smooth_[node] = scratch.take<T>(row_);
    }
    zero_ = scratch.take<T>(row_);
    std::fill_n(zero_, row_, T{0});
    sources_.resize(static_cast<std::size_t>(plan_.kernel));
  }

  // Splits the signal at `x` (its first channel) into `bands`, which are null if not wanted.
  void run(const T* x, T* const* bands, index_t band_step, index_t first_pack, index_t last_pack) {
    x_ = x;
    bands_ = bands;
    step_ = band_step;
    first_pack_ = first_pack;
    last_pack_ = last_pack;
    if (plan_.dims() == 1) return only_row();
    const LiftPoolAxis& rows = plan_.axes[0];
    index_t detail = 0, smooth = 0;
    for (index_t k = 0; k < rows.half; ++k) {
      soon_ = x_ + std::min(2 * k + 2, rows.n - 1) * columns_.n * channels_;
      split(2 * k, evens_, k);
      if (2 * k + 1 < rows.n) split(2 * k + 1, odds_, k);
      for (; detail < rows.half && latest(detail) <= k; ++detail) {
        predict_row(detail);
        for (; smooth < rows.half && latest(smooth) <= detail; ++smooth) finish_row(smooth);
      }
    }
  }

 private:
  // The numbers of rows that stay in the caches, of each half of the rows.
  struct Held {
    index_t evens = 0, odds = 0, details = 0;
    explicit Held(const LiftPoolPlan& plan) {
      if (plan.dims() == 1) return;
      const LiftPoolAxis& axis = plan.axes[0];
      const index_t after = plan.kernel / 2;
      evens = std::max(axis.reads[predict].held, 2 * after + 1);
      odds = after + 2;
      details = std::max(axis.reads[update].held, after + 1);
    }
  };

  static HeldRows<T> new_rows(index_t count, index_t row, Scratch& scratch) {
    return {std::max<index_t>(count, 1), row, scratch};
  }

  // The latest row that target k reads.
  index_t latest(index_t k) const {
    return std::min<index_t>(k + plan_.kernel / 2, plan_.axes[0].half - 1);
  }

  // The odd row k, or the one that pads an odd number of rows.
  const T* odd_row(int node, index_t k) const {
    const LiftPoolAxis& axis = plan_.axes[0];
    if (2 * k + 1 < axis.n) return odds_[node].at(k);
    return axis.last % 2 ? odds_[node].at(axis.last / 2) : evens_[node].at(axis.last / 2);
  }

  // Row r along itself: smooth half and detail of each pack.
  void split(index_t r, HeldRows<T>* halves, index_t k) {
    for (index_t pack = first_pack_; pack < last_pack_; ++pack) {
      const index_t at = (pack - first_pack_) * row_;
      split_pack(r, pack, halves[0].at(k) + at, halves[1].at(k) + at);
    }
  }

  void split_pack(index_t r, index_t pack, T* smooth, T* detail) {
    const T* const x = x_ + r * columns_.n * channels_ + filters_.first(pack);
    const LaneRow<const T> even{x, 2 * channels_}, odd{x + channels_, 2 * channels_};
    const index_t pairs = columns_.n / 2;
    const auto predictor = filters_.template of<K>(0, predict, pack);
    const index_t* const places = columns_.reads[predict].source.data();
    lift_along<T, K, true>(predictor, places, even, odd, detail, pairs, 32 * channels_);
    if (pairs < columns_.half) {
      const LaneRow<const T> last{x + columns_.last * channels_, 0};
      lift_along<T, K, true>(predictor, places + pairs, even, last, detail + pairs * lanes_of<T>, 1);
    }
    const auto updater = filters_.template of<K>(0, update, pack);
    lift_along<T, K, false>(updater, columns_.reads[update].source.data(),
                            {detail, lanes_of<T>}, even, smooth, columns_.half);
    pace_.moved(row_ * 2 * static_cast<index_t>(sizeof(T)));
  }

  bool wants(int node) const { return bands_[2 * node] || bands_[2 * node + 1]; }

  // The addresses of one pack of the rows that target k reads.
  template <class Row>
  const T* const* rows_of(int which, index_t k, index_t at, const Row& row) {
    const index_t* const source = plan_.axes[0].reads[which].source.data() + k;
    for (int i = 0; i < plan_.kernel; ++i)
      sources_[static_cast<std::size_t>(i)] = source[i] < 0 ? zero_ : row(source[i]) + at;
    return sources_.data();
  }

  // A quarter of the next two rows of the signal. Memory is idle while rows are lifted across, so each
  // of up to four filters prefetches one.
  LaneRow<const T> soon(int node, int which, index_t pack) const {
    const index_t at = (2 * node + which) * columns_.half * channels_;
    return {soon_ + at + filters_.first(pack), channels_};
  }

  void predict_row(index_t k) {
    for (int node = 0; node < 2; ++node) {
      if (!wants(node)) continue;
      const auto even = [&](index_t j) { return evens_[node].at(j); };
      for (index_t pack = first_pack_; pack < last_pack_; ++pack) {
        const index_t at = (pack - first_pack_) * row_;
        T* const to = details_[node].at(k) + at;
        lift_across<T, K, true>(
            filters_.template of<K>(1 + node, predict, pack), rows_of(predict, k, at, even),
            odd_row(node, k) + at, columns_.half, soon(node, predict, pack),
            [to](index_t i, const Pack<T>& v) LIFTWAVE_INLINE_LAMBDA { put<T>(to + i, v); });
      }
    }
  }

  // Updates the even rows k, and stores the results.
  void finish_row(index_t k) {
    const bool all = std::all_of(bands_, bands_ + 4, [](const T* band) { return band; });
    for (index_t pack = first_pack_; pack < last_pack_; ++pack) {
      if (sum_ && all) sum_pack(k, pack);
      else store_pack(k, pack);
    }
  }

  void store_pack(index_t k, index_t pack) {
    const index_t at = (pack - first_pack_) * row_;
    const T* halves[4] = {};
    for (int node = 0; node < 2; ++node) {
      T* const to = smooth_[node];
      if (!wants(node)) continue;
      if (bands_[2 * node])
        update_pack(node, k, pack, [to](index_t i, const Pack<T>& v) LIFTWAVE_INLINE_LAMBDA {
          put<T>(to + i, v);
        });
      halves[2 * node] = to;
      halves[2 * node + 1] = details_[node].at(k) + at;
    }
    store(halves, 4, k, pack);
  }

  // The sum of all bands, in their order.
  void sum_pack(index_t k, index_t pack) {
    const index_t at = (pack - first_pack_) * row_, step = step_;
    const T *const first = details_[0].at(k) + at, *const second = details_[1].at(k) + at;
    T *const sums = smooth_[0], *to = bands_[3] + k * columns_.half * step_ + filters_.first(pack);
    update_pack(0, k, pack, [=](index_t i, const Pack<T>& v) LIFTWAVE_INLINE_LAMBDA {
      put<T>(sums + i, v + get(first + i));
    });
    update_pack(1, k, pack, [=, &to](index_t i, const Pack<T>& v) LIFTWAVE_INLINE_LAMBDA {
      put<T>(to, get(sums + i) + v + get(second + i));
      to += step;
    });
    pace_.moved(row_ * 4 * static_cast<index_t>(sizeof(T)));
  }

  template <class Finish>
  void update_pack(int node, index_t k, index_t pack, const Finish& finish) {
    const index_t at = (pack - first_pack_) * row_;
    const auto detail = [&](index_t j) { return details_[node].at(j); };
    lift_across<T, K, false>(filters_.template of<K>(1 + node, update, pack),
                             rows_of(update, k, at, detail), evens_[node].at(k) + at,
                             columns_.half, soon(node, update, pack), finish);
  }

  void only_row() {
    for (index_t pack = first_pack_; pack < last_pack_; ++pack) {
      split_pack(0, pack, smooth_[0], smooth_[1]);
      const T* const halves[] = {smooth_[0], smooth_[1]};
      store(halves, 2, 0, pack);
    }
  }

  // Stores row k of one pack of the bands that are wanted, or of their sum.
  void store(const T* const* halves, int bands, index_t k, index_t pack) {
    const index_t first = k * columns_.half * step_ + filters_.first(pack);
    const T* wanted[4];
    int count = 0;
    T* to = nullptr;
    for (int b = 0; b < bands; ++b) {
      if (!bands_[b]) continue;
      to = bands_[b] + first;
      wanted[count++] = halves[b];
      if (!sum_) store_sum<1>(&halves[b], 1, to);
    }
    if (sum_) store_sum<0>(wanted, count, to);
    pace_.moved(row_ * count * static_cast<index_t>(sizeof(T)));
  }

  // N rows (0: `count`), added.
  template <int N>
  void store_sum(const T* const* rows, int count, T* to) const {
    const index_t numbers = row_, step = step_;
    for (index_t at = 0; at < numbers; at += lanes_of<T>, to += step) {
      Pack<T> sum = get(rows[0] + at);
      for (int b = 1; b < (N ? N : count); ++b) sum = sum + get(rows[b] + at);
      put<T>(to, sum);
    }
  }

  const LiftPoolPlan& plan_;
  const LaneFilters<T>& filters_;
  index_t channels_, packs_;
  bool sum_;
  const LiftPoolAxis& columns_;
  Held held_;
  index_t row_;  // numbers of one pack in a half of a row
  // Rows of the smooth half and of the detail of each row: even ones, odd ones, and their details.
  HeldRows<T> evens_[2], odds_[2], details_[2];
  T *smooth_[2], *zero_;
  Buffer<const T*> sources_;
  const T *x_ = nullptr, *soon_ = nullptr;
  T* const* bands_ = nullptr;
  index_t step_ = 0, first_pack_ = 0, last_pack_ = 0;
  Pace pace_;
};

// All signals.
template <class T, int K>
void down_channel_rows(const LiftPoolJob<T>& job, const T* x, const LiftPoolBands<T>& bands,
                       bool sum, double bytes) {
  const LiftPoolPlan& plan = *job.plan;
  const LaneFilters<T> filters(job);
  const index_t packs = filters.packs(), some = ChannelRows<T, K>::packs_at_once(job, packs);
  const index_t parts = (packs + some - 1) / some, signal = plan.samples() * job.channels;
  parallel_for(job.batch * parts, bytes, [&](index_t begin, index_t end) {
    Scratch scratch;
    ChannelRows<T, K> rows(job, filters, some, sum, scratch);
    Buffer<T*> to(bands.band.size());
    for (index_t item = begin; item < end; ++item) {
      const index_t n = item / parts, first = item % parts * some;
      for (std::size_t b = 0; b < to.size(); ++b)
        to[b] = bands.band[b] ? bands.band[b] + n * bands.batch : nullptr;
      rows.run(x + n * signal, to.data(), bands.step, first, std::min(first + some, packs));
    }
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
