// Tables that exist for float and for double.
#pragma once

namespace liftwave {

template <template <class> class Table>
struct ByPrecision {
  Table<float> f32;
  Table<double> f64;

  template <class T>
  const Table<T>& of() const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return f32;
    } else {
      return f64;
    }
  }
};

}  // namespace liftwave
