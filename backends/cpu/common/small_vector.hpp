// Arrays of a few values, stored in the object itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "common/require.hpp"

namespace liftwave {

// A vector of trivial values. It allocates memory only for more than `N` of them.
template <class T, std::size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SmallVector() = default;
  SmallVector(const T* first, const T* last) { assign(first, last); }
  SmallVector(const SmallVector& other) { assign(other.begin(), other.end()); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) assign(other.begin(), other.end());
    return *this;
  }
  ~SmallVector() { delete[] heap_; }

  void assign(const T* first, const T* last) {
    resize(static_cast<std::size_t>(last - first));
    std::copy(first, last, begin());
  }

  // The values are undefined afterwards.
  void resize(std::size_t size) {
    if (size > N && size > capacity_) {
      delete[] heap_;
      heap_ = nullptr;
      heap_ = new T[size];
      capacity_ = size;
    }
    size_ = size;
  }

  void push_back(const T& value) {
    if (size_ < N || (size_ > N && size_ < capacity_)) {
      begin()[size_] = value;
      ++size_;
      return;
    }
    const std::size_t capacity = 2 * size_;
    T* const larger = new T[capacity];
    std::copy(begin(), end(), larger);
    larger[size_] = value;
    delete[] heap_;
    heap_ = larger;
    capacity_ = capacity;
    ++size_;
  }

  void erase(std::size_t i) {
    T* const values = begin();
    std::copy(values + i + 1, values + size_, values + i);
    if (--size_ == N) std::copy(values, values + N, inline_);
  }

  T& back() { return begin()[size_ - 1]; }
  const T& back() const { return begin()[size_ - 1]; }

  std::size_t size() const { return size_; }
  T* begin() { return size_ > N ? heap_ : inline_; }
  T* end() { return begin() + size_; }
  const T* begin() const { return size_ > N ? heap_ : inline_; }
  const T* end() const { return begin() + size_; }
  T& operator[](std::size_t i) { return begin()[i]; }
  const T& operator[](std::size_t i) const { return begin()[i]; }
  T& at(std::size_t i) {
    if (i >= size_) fail("there is no such dimension");
    return begin()[i];
  }

  bool operator==(const SmallVector& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  std::size_t size_ = 0, capacity_ = 0;
  T inline_[N];
  T* heap_ = nullptr;
};

// A fixed number of objects, created once. Up to `N` of them need no allocation.
template <class T, std::size_t N>
class InlineArray {
 public:
  explicit InlineArray(std::size_t size)
      : size_(size), objects_(size <= N ? inline_ : new T[size]) {}
  ~InlineArray() {
    if (objects_ != inline_) delete[] objects_;
  }
  InlineArray(const InlineArray&) = delete;
  InlineArray& operator=(const InlineArray&) = delete;

  std::size_t size() const { return size_; }
  T* data() { return objects_; }
  const T* data() const { return objects_; }
  T& operator[](std::size_t i) { return objects_[i]; }
  const T& operator[](std::size_t i) const { return objects_[i]; }

 private:
  std::size_t size_;
  T inline_[N];
  T* objects_;
};

}  // namespace liftwave
