#include "filters/packet_blocks.hpp"

#include <utility>

namespace liftwave {
namespace {

// The coefficients that outputs of a synthesis need.
Range coefficients_for(const FilterPlan& p, const Range& outputs) {
  if (!outputs.size()) return {0, 0};
  const auto coefficient = [&](index_t i) { return ((i + (p.phase & 1)) >> 1) + (p.phase >> 1); };
  const Range met{coefficient(outputs.begin) - (p.length / 2 - 1), coefficient(outputs.end - 1) + 1};
  return samples_inside(p.extend, met);
}

// A signal that continues with its first samples.
bool is_periodic(const Extension& e) {
  const auto repeats = [&](index_t i) {
    const Row row = e.row(i);
    return row.copies() && e.n > 0 && row.at[0] == ((i % e.n) + e.n) % e.n;
  };
  for (index_t i = -e.left; i < 0; ++i) {
    if (!repeats(i)) return false;
  }
  for (index_t i = e.n; i < e.n + e.right; ++i) {
    if (!repeats(i)) return false;
  }
  return true;
}

// Shorter blocks of the last level would mostly compute what their neighbours compute.
constexpr index_t least_block = 128;

constexpr index_t endless = index_t{1} << 48;

}  // namespace

PacketBlocks::PacketBlocks(std::vector<const FilterPlan*> plans, bool synthesis, index_t samples)
    : plans_(std::move(plans)), synthesis_(synthesis) {
  if (depth() > PacketRanges::most_levels || !can_run()) return;
  const FilterPlan& first = *plans_.front();
  lengths_.push_back(synthesis_ ? first.n_out : first.extend.n);
  for (const FilterPlan* p : plans_) lengths_.push_back(synthesis_ ? p->extend.n : p->n_out);
  if (length(0) <= samples) {
    block_ = std::max<index_t>(length(depth()), 1);
    count_ = 1;
    return;
  }
  block_ = samples >> depth();
  if (block_ < least_block) return;
  make_endless();
  // An analysis divides the nodes of the last level, a synthesis the root.
  const index_t n = length(synthesis_ ? 0 : depth());
  const index_t width = synthesis_ ? block_ << depth() : block_;
  count_ = (n + width - 1) / width;
  if (!pays()) count_ = 0;
}

// Folds need whole lines.
bool PacketBlocks::can_run() const {
  return std::all_of(plans_.begin(), plans_.end(), [](const FilterPlan* p) {
    return p->fold.empty() && p->length % 2 == 0;
  });
}

// Blocks of periodic lines wrap, so those at one end do not need samples of the other end.
void PacketBlocks::make_endless() {
  for (int level = 0; level < depth(); ++level) {
    if (length(level) != 2 * length(level + 1) || !is_periodic(plans_[level]->extend)) return;
  }
  wraps_ = true;
  for (const FilterPlan* p : plans_) {
    endless_.push_back(*p);
    endless_.back().extend = {endless, 0, 0, {0}, {}, {}};
  }
}

index_t PacketBlocks::start(int level, index_t block) const {
  const index_t n = length(level);
  return block == count_ ? n : std::min(n, (block * block_) << (depth() - level));
}

void PacketBlocks::ranges(index_t block, PacketRanges& to) const {
  for (int level = 0; level <= depth(); ++level) {
    to.owned[level] = {start(level, block), start(level, block + 1)};
  }
  to.turn = wraps_ && block == 0 ? 1 : 0;
  for (int level = 0; level <= depth(); ++level) {
    to.owned[level].begin += to.turn * length(level);
    to.owned[level].end += to.turn * length(level);
  }
  if (synthesis_) {
    to.all[0] = to.owned[0];
    for (int level = 0; level < depth(); ++level) {
      to.all[level + 1] = coefficients_for(plan(level), to.all[level]);
    }
    return;
  }
  to.all[depth()] = to.owned[depth()];
  for (int level = depth() - 1; level >= 0; --level) {
    const Range needed = samples_for(plan(level), to.all[level + 1]);
    to.all[level] = level ? hull(to.owned[level], needed) : needed;
  }
}

// Whether blocks compute little more than their own samples.
bool PacketBlocks::pays() const {
  if (count_ < 2) return false;
  for (index_t block : {index_t{0}, index_t{1}, count_ - 1}) {
    PacketRanges blocks;
    ranges(block, blocks);
    for (int level = 0; level <= depth(); ++level) {
      const index_t whole = block_ << (depth() - level);
      if (blocks.all[level].begin < 0 || blocks.all[level].size() > whole + whole / 8) return false;
    }
  }
  return true;
}

}  // namespace liftwave
