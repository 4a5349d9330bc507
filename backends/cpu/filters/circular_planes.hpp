// One level without downsampling along several consecutive axes at once.
//
// For each position along the first axis, analysis computes the low and the high plane (all positions
// along the other axes) in the cache and splits them further; synthesis merges bands along the other
// axes first, as the analysis is undone from the last axis to the first.
#pragma once

#include <optional>

#include "filters/circular_lines.hpp"

namespace liftwave::LIFTWAVE_ISA {

// Between planes that are summed: rows of 4 KiB would share cache sets.
inline constexpr std::size_t plane_gap = 128;

// Outputs that are summed together: most of their planes are the same ones.
inline constexpr index_t planes_at_once = 4;

// Numbers of a plane that are summed at a time, so that the planes' parts stay in the L1 cache.
inline constexpr index_t part_of_plane = 256;

// At least as many outputs of a row are computed at a time, so that they fill vectors.
inline constexpr index_t fewest_numbers = 64;

// The axes and the sizes of planes. Inputs are contiguous from the first axis on.
class CircularPlanes {
 public:
  CircularPlanes(const CircularAxis* axes, int count, index_t lanes, bool past_caches)
      : axes_(axes), count_(count), lanes_(lanes), past_caches_(past_caches) {
    plane_[count] = lanes;
    for (int s = count - 1; s >= 0; --s) plane_[s] = plane_[s + 1] * axes[s].n;
  }

  // All bands of positions k0 ... k1 - 1 along the first axis.
  template <class T>
  void split(const T* x, T* const* out, index_t k0, index_t k1) const {
    split_axis<0>(x, out, k0, k1);
  }

  // The result at positions i0 ... i1 - 1 of the cycle of the first axis that begins at `first`; null
  // bands are missing.
  template <class T>
  void merge(const T* const* bands, T* out, index_t first, index_t i0, index_t i1) const {
    merge_cycle<0>(bands, out, first, i0, i1);
  }

  // The result at positions `outputs` along the first axis, counted beyond its ends, to `out`. The taps
  // are equally far apart. `window`: if not null, bands[0] begins at this position, and has all that
  // taps read.
  template <class T>
  void merge_positions(const T* const* bands, const index_t* window, Range outputs, T* out) const {
    const CircularAxis& axis = axes_[0];
    const index_t spacing = axis.spacing(), apart = std::max<index_t>(1, std::abs(spacing));
    for (index_t first = outputs.begin; first < std::min(outputs.begin + apart, outputs.end); ++first) {
      const index_t count = (outputs.end - first + apart - 1) / apart;
      merge_every(bands, window, first, apart, count, spacing > 0, out + (first - outputs.begin) * plane_[1]);
    }
  }

 private:
  // `count` results from position `first` on, `apart` positions apart. `descending`: whether later taps
  // read positions before those of earlier ones.
  template <class T>
  void merge_every(const T* const* bands, const index_t* window, index_t first, index_t apart, index_t count,
                   bool descending, T* out) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[0];
    const index_t plane = plane_[1], taps = axis.taps(), reach = descending ? 0 : taps - 1;
    const index_t ring = taps + std::min(planes_at_once, count) - 1;
    const index_t gap = plane + static_cast<index_t>(plane_gap / sizeof(T));
    const Halves<T> halves(bands, index_t{1} << (count_ - 1));
    T* memory[2] = {nullptr, nullptr};
    for (int h = 0; h < 2; ++h) {
      if (halves.present[h]) memory[h] = scratch.take<T>(ring * gap);
    }
    index_t next = reach - taps + 1;
    for (index_t i = 0; i < count; i += planes_at_once) {
      const index_t some = std::min(planes_at_once, count - i);
      for (; next < i + some + reach; ++next) {
        const index_t at = first + axis.offset[0] + next * apart, inside = wrapped(at, axis.n) * plane;
        for (int h = 0; h < 2; ++h) {
          const index_t lead = window && h == 0 ? (at - *window) * plane : inside;
          if (!memory[h]) continue;
          halves.template merge_at<0>(*this, h, inside, lead, memory[h] + wrapped(next, ring) * gap);
        }
      }
      const auto at = [&](index_t k, index_t j) { return wrapped(descending ? k - j : k + j, ring) * gap; };
      sum_planes<0>(i, some, memory, at, [&](index_t k) { return out + k * apart * plane; });
    }
  }

  // Axis s and those behind it. A template, so that compilers see where the recursion ends.
  template <int s, class T>
  void split_axis(const T* x, T* const* out, index_t k0, index_t k1) const {
    if constexpr (s + 1 < max_axes) {
      Scratch scratch;
      const CircularAxis& axis = axes_[s];
      const index_t plane = plane_[s + 1], bands = index_t{1} << (count_ - s - 1);
      T* half[2] = {plane_with_margins<T>(s + 1, scratch), plane_with_margins<T>(s + 1, scratch)};
      for (index_t k = k0; k < k1; ++k) {
        Scratch of_plane;
        split_range(axis, 0, plane, half[0], half[1], false, of_plane,
                    [&](index_t offset) { return x + wrapped(k + offset, axis.n) * plane; });
        for (int h = 0; h < 2; ++h) {
          T* to[1 << (max_axes - 1)];
          for (index_t b = 0; b < bands; ++b) to[b] = out[h * bands + b] + k * plane;
          if (s + 2 == count_) split_row(half[h], to);
          else split_axis<s + 1>(static_cast<const T*>(half[h]), to, 0, axes_[s + 1].n);
        }
      }
    }
  }

  // A row along the last axis, with margins that are filled here.
  template <class T>
  void split_row(T* row, T* const* to) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[count_ - 1];
    fill_margins(row);
    split_range(axis, 0, axis.n * lanes_, to[0], to[1], past_caches_, scratch,
                [&](index_t offset) { return static_cast<const T*>(row) + offset * lanes_; });
  }

  // The plane that bands merge to along axis s and those behind it. At least one has data.
  template <int s, class T>
  void merge_plane(const T* const* bands, T* out) const {
    if (s + 1 == count_) return merge_row(bands, out);
    if constexpr (s + 1 < max_axes) {
      const CircularAxis& axis = axes_[s];
      for (index_t first = 0; first < axis.n / axis.cycle; ++first) {
        merge_cycle<s>(bands, out, first, 0, axis.cycle);
      }
    }
  }

  // Positions i0 ... i1 - 1 of the cycle that begins at `first`, along axis s. Each needs the planes
  // that the position before needs, except for one.
  template <int s, class T>
  void merge_cycle(const T* const* bands, T* out, index_t first, index_t i0, index_t i1) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[s];
    const index_t plane = plane_[s + 1], kept = std::min(axis.taps(), axis.cycle);
    const index_t ring = kept + std::min(planes_at_once, i1 - i0) - 1;
    const index_t spacing = plane + static_cast<index_t>(plane_gap / sizeof(T));
    const index_t source = wrapped(first + axis.offset[0], axis.n);  // that tap 0 reads at i = 0
    const Halves<T> halves(bands, index_t{1} << (count_ - s - 1));
    T* memory[2] = {nullptr, nullptr};
    for (int h = 0; h < 2; ++h) {
      if (halves.present[h]) memory[h] = scratch.take<T>(ring * spacing);
    }
    index_t next = i0 - kept + 1;  // counted beyond the cycle on both sides
    for (index_t i = i0; i < i1; i += planes_at_once) {
      const index_t count = std::min(planes_at_once, i1 - i);
      for (; next < i + count; ++next) {
        const index_t at = axis.position(source, wrapped(next, axis.cycle)) * plane;
        for (int h = 0; h < 2; ++h) {
          if (!memory[h]) continue;
          halves.template merge_at<s>(*this, h, at, at, memory[h] + wrapped(next, ring) * spacing);
        }
      }
      const auto at = [&](index_t output, index_t j) {
        return wrapped(output - j % axis.cycle, ring) * spacing;
      };
      sum_planes<s>(i, count, memory, at, [&](index_t k) { return out + axis.position(first, k) * plane; });
    }
  }

  // Outputs i ... i + count - 1, part by part; `at(i, j)`: where the plane is that tap j of output i
  // reads, `out(i)`: where the output is stored.
  template <int s, class T, class Place, class Out>
  void sum_planes(index_t i, index_t count, T* const* memory, const Place& at, const Out& out) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[s];
    const index_t plane = plane_[s + 1], taps = axis.taps();
    std::optional<Terms<T>> terms[planes_at_once];
    T* to[planes_at_once];
    for (index_t k = 0; k < count; ++k) {
      terms[k].emplace(2 * taps, taps / 2, scratch);
      for (int h = 0; h < 2; ++h) {
        const T* from = memory[h];
        const auto source = [&](index_t j) { return from + at(i + k, j); };
        if (from) terms[k]->add(axis, h ? axis.high : axis.low, source);
      }
      to[k] = out(i + k);
    }
    for_parts(0, plane, [&](index_t c, index_t stop) {
      for (index_t k = 0; k < count; ++k) sum_terms(*terms[k], c, stop, to[k], s == 0 && past_caches_);
    });
  }

  // The bands of the low and of the high planes along an axis.
  template <class T>
  struct Halves {
    const T* const* bands;
    index_t count;  // of one half
    bool present[2];

    Halves(const T* const* all, index_t count_of_half) : bands(all), count(count_of_half) {
      for (int h = 0; h < 2; ++h) {
        const T* const* half = bands + h * count;
        present[h] = std::any_of(half, half + count, [](const T* band) { return band != nullptr; });
      }
    }

    // Merges the planes of one half that begin at a number of its bands, for its first one at `lead`.
    template <int s>
    void merge_at(const CircularPlanes& planes, int half, index_t at, index_t lead, T* to) const {
      const T* moved[1 << (max_axes - 1)];
      for (index_t b = 0; b < count; ++b) {
        const T* band = bands[half * count + b];
        moved[b] = band ? band + (b ? at : lead) : nullptr;
      }
      planes.merge_plane<s + 1>(static_cast<const T* const*>(moved), to);
    }
  };

  // A row from its low and its high row along the last axis; one may be null. Only the outputs near
  // the ends read copies.
  template <class T>
  void merge_row(const T* const* half, T* to) const {
    const CircularAxis& axis = axes_[count_ - 1];
    const index_t n = axis.n * lanes_, before = axis.before() * lanes_, behind = axis.behind() * lanes_;
    const index_t ends = std::max<index_t>(before + behind, fewest_numbers);
    if (n < 4 * ends) return merge_range(half, 0, n, to);
    merge_range(half, 0, ends, to);
    merge_range(half, ends, n - ends, to);
    merge_range(half, n - ends, n, to);
  }

  template <class T>
  void merge_range(const T* const* half, index_t start, index_t stop, T* to) const {
    Scratch scratch;
    const CircularAxis& axis = axes_[count_ - 1];
    const index_t n = axis.n * lanes_, from = start - axis.before() * lanes_;
    const index_t end = stop + axis.behind() * lanes_;
    Terms<T> terms(2 * axis.taps(), axis.taps() / 2, scratch);
    for (int h = 0; h < 2; ++h) {
      if (!half[h]) continue;
      const T* row = periodic_line(half[h], n, from, end, scratch);
      terms.add(axis, h ? axis.high : axis.low, [&](index_t j) { return row + axis.at(j) * lanes_; });
    }
    sum_terms(terms, start, stop, to, false);
  }

  // Calls `work(c, stop)` for the parts of a plane, of which the last is not shorter than the others.
  template <class Work>
  static void for_parts(index_t start, index_t stop, const Work& work) {
    for (index_t c = start; c < stop;) {
      const index_t until = stop - c < 2 * part_of_plane ? stop : c + part_of_plane;
      work(c, until);
      c = until;
    }
  }

  // Memory of a plane at axis s. A row of the last axis has margins before and behind it.
  template <class T>
  T* plane_with_margins(int s, Scratch& scratch) const {
    if (s + 1 < count_) return scratch.take<T>(plane_[s]);
    const CircularAxis& axis = axes_[s];
    return scratch.take<T>(plane_[s] + (axis.before() + axis.behind()) * lanes_) + axis.before() * lanes_;
  }

  template <class T>
  void fill_margins(T* row) const {
    const CircularAxis& axis = axes_[count_ - 1];
    const index_t n = axis.n * lanes_, before = axis.before() * lanes_, behind = axis.behind() * lanes_;
    std::copy(row + n - before, row + n, row - before);
    std::copy(row, row + behind, row + n);
  }

  const CircularAxis* axes_;
  int count_;
  index_t lanes_;
  bool past_caches_;
  index_t plane_[max_axes + 1];  // numbers from axis s on
};

// Positions along the first axis, in blocks that several threads compute. `cycle`: how many
// consecutive ones share planes; `shared`: how many planes a block computes more than it has.
template <class T, class Work>
void for_plane_blocks(const CircularAxis* axes, int count, const ArrayView<T>& like, index_t cycle,
                      index_t shared, const Work& work) {
  Batch batch;
  const Inner inner = split_dimensions(&like, 1, axes[0].axis, axes[count - 1].axis, batch);
  const double all = sizeof(T) * static_cast<double>(numbers_of(like));
  const double bytes = all * 2 * (1 << count);
  const CircularPlanes planes(axes, count, inner.count, all * (1 << count) >= streamed_bytes);
  const index_t cycles = axes[0].n / cycle;
  const index_t wanted = std::max<index_t>(8 * threads_for(bytes), ranges_for(bytes));
  const index_t most = std::max<index_t>(1, cycle / std::max<index_t>(1, 4 * shared));
  const index_t blocks = std::clamp<index_t>(wanted / (batch.size * cycles), 1, most);
  const index_t block = (cycle + blocks - 1) / blocks;
  parallel_for(batch.size * cycles * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      const index_t first = item / blocks % cycles, i0 = item % blocks * block;
      const index_t i1 = std::min(i0 + block, cycle);
      if (i0 < i1) work(planes, batch, item / blocks / cycles, first, i0, i1);
    }
    end_streams();
  });
}

// All bands of one level along consecutive axes, in the order of their keys.
template <class T>
void split_planes(const CircularAxis* axes, int count, const ArrayView<const T>& x,
                  const ArrayView<T>* bands) {
  for_plane_blocks(axes, count, x, axes[0].n, 0, [&](const CircularPlanes& planes, const Batch& batch,
                                                     index_t item, index_t, index_t k0, index_t k1) {
    T* out[1 << max_axes];
    for (int b = 0; b < 1 << count; ++b) out[b] = batch.locate(item, bands[b]);
    planes.split(batch.locate(item, x), out, k0, k1);
  });
}

// The array with these bands along consecutive axes; bands without data are missing.
template <class T>
void merge_planes(const CircularAxis* axes, int count, const ArrayView<const T>* bands,
                  const ArrayView<T>& out) {
  for_plane_blocks(axes, count, out, axes[0].cycle, axes[0].taps(),
                   [&](const CircularPlanes& planes, const Batch& batch, index_t item, index_t first,
                       index_t i0, index_t i1) {
    const T* from[1 << max_axes];
    for (int b = 0; b < 1 << count; ++b) {
      from[b] = bands[b].data ? batch.locate(item, bands[b]) : nullptr;
    }
    planes.merge(from, batch.locate(item, out), first, i0, i1);
  });
}

// Several levels of a synthesis along the same axes, coarsest first, in blocks of positions along the
// first axis: approximations pass from level to level in the caches. See FilterKernels.
template <class T>
void merge_plane_levels(const CircularAxis* axes, int count, int depth, const ArrayView<const T>* bands,
                        const ArrayView<T>& out) {
  Batch batch;
  const Inner inner = split_dimensions(&out, 1, axes[0].axis, axes[count - 1].axis, batch);
  index_t plane = inner.count;
  for (int s = 1; s < count; ++s) plane *= axes[s].n;
  const index_t n = axes[0].n, rows = positions_of_block(plane), blocks = (n + rows - 1) / rows;
  const double bytes = sizeof(T) * static_cast<double>(numbers_of(out)) * (1 + depth * ((1 << count) - 1));
  parallel_for(batch.size * blocks, bytes, [&](index_t begin, index_t end) {
    for (index_t item = begin; item < end; ++item) {
      Scratch scratch;
      const index_t where = item / blocks, start = item % blocks * rows, stop = std::min(start + rows, n);
      // Of each level: the block, and what the next levels read beyond it.
      Range outputs[max_circular_levels];
      outputs[depth - 1] = {start, stop};
      for (int level = depth - 1; level > 0; --level) {
        const CircularAxis& axis = axes[level * count];
        outputs[level - 1] = {outputs[level].begin - axis.before(), outputs[level].end + axis.behind()};
      }
      const T* approx = bands[0].data ? batch.locate(where, bands[0]) : nullptr;
      for (int level = 0; level < depth; ++level) {
        const bool last = level + 1 == depth;
        const T* from[1 << max_axes] = {approx};
        for (int b = 1; b < 1 << count; ++b) {
          const ArrayView<const T>& band = bands[(level << count) + b];
          from[b] = band.data ? batch.locate(where, band) : nullptr;
        }
        T* result = last ? batch.locate(where, out) + start * plane
                         : scratch.take<T>(outputs[level].size() * plane);
        const bool past_caches = last && bytes >= streamed_bytes;
        const CircularPlanes planes(axes + level * count, count, inner.count, past_caches);
        planes.merge_positions(from, level ? &outputs[level - 1].begin : nullptr, outputs[level], result);
        approx = result;
      }
    }
    end_streams();
  });
}

}  // namespace liftwave::LIFTWAVE_ISA
