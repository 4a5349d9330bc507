// A vector for kernels, compiled once per instruction set (LIFTWAVE_ISA).
//
// std::vector is a template outside of the instruction set's namespace. If several instruction sets
// compile it, the linker keeps one copy, perhaps one that the processor cannot run.
#pragma once

#include <cstddef>

#include "common/isa.hpp"

namespace liftwave::LIFTWAVE_ISA {

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) { resize(size); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { delete[] values_; }

  // New values are T{}; existing values are kept.
  void resize(std::size_t size) {
    if (size > capacity_) {
      T* const larger = new T[size]();
      for (std::size_t i = 0; i < size_; ++i) larger[i] = values_[i];
      delete[] values_;
      values_ = larger;
      capacity_ = size;
    }
    size_ = size;
  }

  std::size_t size() const { return size_; }
  T* data() { return values_; }
  const T* data() const { return values_; }
  T* begin() { return values_; }
  T* end() { return values_ + size_; }
  T& operator[](std::size_t i) { return values_[i]; }
  const T& operator[](std::size_t i) const { return values_[i]; }

 private:
  T* values_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace liftwave::LIFTWAVE_ISA
