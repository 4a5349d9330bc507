// What CUDA gives to kernels, on the host: to run their sources in tests, without a device.
//
// A block's threads are fibers: each runs to the next barrier, in an order that the caller chooses,
// so that a missing barrier shows. Blocks run one after the other. Shared memory ends where a page
// begins that nobody may touch. A thread that touches such a page ends the kernel with an error.
//
// Each kernel is compiled with this header, so it contains no standard headers, which need longer
// to compile than a kernel. `cuda_host.cpp` contains the functions and is compiled once.
#pragma once

#define LIFTWAVE_HOST 1
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __shared__ static
#define __restrict__
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) alignas(n)

extern "C" {
double exp(double) noexcept;
double fabs(double) noexcept;
double fma(double, double, double) noexcept;
float expf(float) noexcept;
float fabsf(float) noexcept;
float fmaf(float, float, float) noexcept;
}

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim;
constexpr int warpSize = 32;

namespace host {

typedef decltype(sizeof(0)) size_t;

// A kernel with its arguments, and the most threads of a block by its launch bounds.
struct Call {
  void (*run)(const Call&);
  void (*kernel)();
  const void* arguments;
  int most_threads;
};

// What a block can have without an attribute of the kernel.
constexpr size_t most_shared_bytes = 227 * 1024;  // of any device; runtimes have lower limits

// Orders of the threads. In a fair order each thread runs to its next barrier or shuffle in turn. In
// a greedy order each warp runs as far as it can before the next warp runs. Numbers from
// `order_shuffled` on are seeds; their turns are fair or greedy at random.
enum Order {
  order_forwards,
  order_backwards,
  order_greedy,
  order_greedy_backwards,
  order_shuffled,
};

// All of these functions return an error message, or null.
const char* run(const Call& call, long long blocks, int threads, size_t shared_bytes, int order);
const char* wrong_size(size_t found, size_t expected);

// Waits until all threads of the block, or of the warp, wait.
void wait_for_block();
void wait_for_warp();

// Replaces `number`, of at most 8 bytes, by that of another lane of the warp.
int lane();
void exchange(void* number, size_t size, int lane);

template <class Arguments>
const char* launch(void (*kernel)(Arguments), int most_threads, const void* arguments, size_t size,
                   long long blocks, int threads, size_t shared_bytes, int order) {
  if (size != sizeof(Arguments)) return wrong_size(size, sizeof(Arguments));
  const Call call{[](const Call& c) {
                    const auto function = reinterpret_cast<void (*)(Arguments)>(c.kernel);
                    function(*static_cast<const Arguments*>(c.arguments));
                  },
                  reinterpret_cast<void (*)()>(kernel), arguments, most_threads};
  return run(call, blocks, threads, shared_bytes, order);
}

template <class T>
T exchanged(T value, int lane) {
  static_assert(sizeof(T) <= 8, "one number");
  exchange(&value, sizeof value, lane);
  return value;
}

}  // namespace host

inline void __syncthreads() { host::wait_for_block(); }
inline void __syncwarp(unsigned = 0xffffffffu) { host::wait_for_warp(); }

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return host::exchanged(value, lane);
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  const int lane = host::lane(), other = lane + static_cast<int>(delta);
  return host::exchanged(value, other < warpSize ? other : lane);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return host::exchanged(value, host::lane() ^ mask);
}

inline unsigned __float_as_uint(float value) {
  unsigned bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float __uint_as_float(unsigned bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
inline long long __double_as_longlong(double value) {
  long long bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline double __longlong_as_double(long long bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T>
T __ldg(const T* place) {
  return *place;
}

namespace liftwave {

unsigned char* shared_bytes();

// IEEE half precision, without instructions for it: to the nearest, to even where there are two.
float half_to_float(unsigned short bits);
unsigned short float_to_half(float value);

}  // namespace liftwave
