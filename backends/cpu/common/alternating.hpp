// Memory of the results between levels.
#pragma once

#include "common/array_view.hpp"
#include "common/parallel.hpp"

namespace liftwave {

// Two arrays that results between levels alternate in.
template <class T>
class Alternating {
 public:
  explicit Alternating(const ArrayView<T>& like) : like_(like) {}

  ArrayView<T> next() {
    T*& memory = memory_[turn_ ^= 1];
    if (!memory) memory = scratch_.take<T>(numbers_of(like_));
    ArrayView<T> array = like_;
    array.data = memory;
    return array;
  }

 private:
  Scratch scratch_;
  ArrayView<T> like_;
  T* memory_[2] = {nullptr, nullptr};
  int turn_ = 0;
};

}  // namespace liftwave
