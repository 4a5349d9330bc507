// The functions of `cuda_host.hpp`: threads as fibers, barriers, shared memory, half precision.

#include "cuda_host.hpp"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace host {
namespace {

struct Barrier {
  int alive = 0, arrived = 0;
  unsigned long generation = 0;

  void release_if_full() {
    if (arrived == alive && arrived > 0) {
      arrived = 0;
      ++generation;
    }
  }
};

struct Fiber {
  ucontext_t start;
  jmp_buf here;
  std::vector<char> stack;
  bool begun = false, done = false;
  dim3 index;
  const Barrier* waits = nullptr;  // for this to leave `generation`
  unsigned long generation = 0;
  double slot = 0;  // what it gives to its warp
};

struct Block {
  std::vector<Fiber> fibers;
  std::vector<Barrier> warps;
  Barrier all;
  jmp_buf scheduler;
  int current = 0;
  unsigned char* shared = nullptr;
  const Call* call = nullptr;
  const char* error = nullptr;
};
Block block;

Fiber& self() { return block.fibers[block.current]; }

void wait(Barrier& barrier) {
  Fiber& me = self();
  me.generation = barrier.generation;
  me.waits = &barrier;
  ++barrier.arrived;
  barrier.release_if_full();
  if (_setjmp(me.here) == 0) _longjmp(block.scheduler, 1);
  threadIdx = self().index;
}

Barrier& warp_of(int thread) { return block.warps[thread / warpSize]; }

void enter() {
  threadIdx = self().index;
  block.call->run(*block.call);
  Fiber& me = self();
  me.done = true;
  for (Barrier* barrier : {&block.all, &warp_of(block.current)}) {
    if (barrier->arrived > 0) block.error = "a thread ends while others wait for it at a barrier";
    --barrier->alive;
  }
  _longjmp(block.scheduler, 1);
}

bool is_ready(const Fiber& fiber) {
  return !fiber.done && (!fiber.waits || fiber.waits->generation != fiber.generation);
}

// One fiber from where it is to its next barrier, or to its end.
void resume(int thread) {
  block.current = thread;
  Fiber& fiber = self();
  fiber.waits = nullptr;
  if (_setjmp(block.scheduler) != 0) return;
  if (!fiber.begun) {
    fiber.begun = true;
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack.data();
    fiber.start.uc_stack.ss_size = fiber.stack.size();
    fiber.start.uc_link = nullptr;
    makecontext(&fiber.start, enter, 0);
    setcontext(&fiber.start);
  }
  _longjmp(fiber.here, 1);
}

// Numbers that look random, for orders of threads (Knuth's MMIX generator).
struct Random {
  unsigned long long state;

  int below(int count) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int>((state >> 33) % static_cast<unsigned>(count));
  }
};

// Runs a thread up to its next barrier, if it can; returns whether it could.
bool run_thread(int thread, int& remaining) {
  if (block.error || !is_ready(block.fibers[thread])) return false;
  resume(thread);
  remaining -= block.fibers[thread].done;
  return true;
}

// Runs the warp of a thread until each of its threads waits for other warps or has ended. So it
// runs ahead of the others as far as barriers of the block let it.
bool run_warp(int thread, int& remaining) {
  const int first = thread / warpSize * warpSize;
  const int last = std::min(first + warpSize, static_cast<int>(block.fibers.size()));
  bool moved = false;
  for (bool again = true; again; moved |= again) {
    again = false;
    for (int t = first; t < last; ++t) again |= run_thread(t, remaining);
  }
  return moved;
}

bool is_shuffled(int order) { return order >= order_shuffled; }
bool is_backwards(int order) { return order == order_backwards || order == order_greedy_backwards; }
bool is_greedy(int order) { return order == order_greedy || order == order_greedy_backwards; }

void run_block(std::vector<int>& order, Random& random, int order_of) {
  const bool shuffled = is_shuffled(order_of);
  int remaining = static_cast<int>(block.fibers.size());
  while (remaining > 0) {
    bool moved = false;
    for (int i = static_cast<int>(order.size()) - 1; shuffled && i > 0; --i) {
      const int j = random.below(i + 1), moved_one = order[i];
      order[i] = order[j];
      order[j] = moved_one;
    }
    const bool by_warps = is_greedy(order_of) || (shuffled && random.below(2) == 1);
    for (int thread : order) {
      moved |= by_warps ? run_warp(thread, remaining) : run_thread(thread, remaining);
    }
    if (block.error) return;
    if (!moved) {
      block.error = "threads wait at barriers that not all of them reach";
      return;
    }
  }
}

// Memory of this number of bytes, which ends where a page begins that must not be accessed.
class Guarded {
 public:
  explicit Guarded(std::size_t bytes) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    inner_ = (bytes + page - 1) / page * page;
    size_ = inner_ + page;
    void* found = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) std::abort();
    base_ = static_cast<unsigned char*>(found);
    mprotect(base_ + inner_, page, PROT_NONE);
    begin_ = base_ + inner_ - (bytes + 15) / 16 * 16;
  }
  ~Guarded() { munmap(base_, size_); }
  Guarded(const Guarded&) = delete;
  unsigned char* begin() const { return begin_; }

 private:
  unsigned char *base_, *begin_;
  std::size_t inner_, size_;
};

char message[160];

// Ends the kernel with an error when one of its threads touches memory that it must not touch.
class FaultHandler {
 public:
  FaultHandler() {
    struct sigaction action = {};
    action.sa_handler = [](int) {
      std::snprintf(message, sizeof message,
                    "thread %d of block %u accesses memory outside of its arrays", block.current,
                    blockIdx.x);
      block.error = message;
      _longjmp(block.scheduler, 1);
    };
    action.sa_flags = SA_NODEFER;
    for (int k = 0; k < 2; ++k) sigaction(signals_[k], &action, &before_[k]);
  }
  ~FaultHandler() {
    for (int k = 0; k < 2; ++k) sigaction(signals_[k], &before_[k], nullptr);
  }
  FaultHandler(const FaultHandler&) = delete;

 private:
  static constexpr int signals_[2] = {SIGSEGV, SIGBUS};
  struct sigaction before_[2];
};

}  // namespace

const char* wrong_size(size_t found, size_t expected) {
  std::snprintf(message, sizeof message, "the arguments have %zu bytes, the kernel's have %zu",
                found, expected);
  return message;
}

const char* run(const Call& call, long long blocks, int threads, size_t shared_bytes,
                int order_of) {
  if (threads < 1 || threads > call.most_threads || blocks < 1 || blocks > 0x7fffffffLL) {
    std::snprintf(message, sizeof message,
                  "a grid of %lld blocks of %d threads cannot be launched: at most %d threads",
                  blocks, threads, call.most_threads);
    return message;
  }
  if (shared_bytes > most_shared_bytes) {
    std::snprintf(message, sizeof message, "%zu bytes of shared memory are more than %zu",
                  shared_bytes, most_shared_bytes);
    return message;
  }
  Guarded shared(shared_bytes);
  const FaultHandler faults;
  Random random{static_cast<unsigned long long>(order_of)};
  std::vector<int> order(threads);
  for (int t = 0; t < threads; ++t) order[t] = is_backwards(order_of) ? threads - 1 - t : t;
  block.shared = shared.begin();
  block.call = &call;
  block.error = nullptr;
  block.fibers.resize(threads);
  for (int t = 0; t < threads; ++t) {
    block.fibers[t].stack.resize(1 << 16);
    block.fibers[t].index = {static_cast<unsigned>(t), 0, 0};
  }
  blockDim = {static_cast<unsigned>(threads), 1, 1};
  gridDim = {static_cast<unsigned>(blocks), 1, 1};
  for (long long b = 0; b < blocks; ++b) {
    blockIdx = {static_cast<unsigned>(b), 0, 0};
    // What a block before left behind is nothing that a kernel may count on.
    std::memset(block.shared, 0xff, shared_bytes);
    block.all = Barrier{threads};
    block.warps.assign((threads + warpSize - 1) / warpSize, Barrier{});
    for (int t = 0; t < threads; ++t) {
      ++warp_of(t).alive;
      Fiber& fiber = block.fibers[t];
      fiber.begun = fiber.done = false;
      fiber.waits = nullptr;
    }
    run_block(order, random, order_of);
    if (block.error) return block.error;
  }
  return nullptr;
}

void wait_for_block() { wait(block.all); }
void wait_for_warp() { wait(warp_of(block.current)); }

int lane() { return block.current % warpSize; }

void exchange(void* number, size_t size, int lane) {
  std::memcpy(&self().slot, number, size);
  Barrier& warp = warp_of(block.current);
  wait(warp);
  const int first = block.current / warpSize * warpSize;
  const int count = static_cast<int>(block.fibers.size());
  const int from = first + lane < count ? first + lane : block.current;
  if (block.fibers[from].done) block.error = "a shuffle reads a thread that has ended";
  std::memcpy(number, &block.fibers[from].slot, size);
  wait(warp);
}

}  // namespace host

namespace liftwave {

unsigned char* shared_bytes() { return host::block.shared; }

float half_to_float(unsigned short bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  float size;
  if (exponent == 31) size = fraction ? NAN : INFINITY;
  else if (exponent == 0) size = std::ldexp(static_cast<float>(fraction), -24);
  else size = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -size : size;
}

unsigned short float_to_half(float value) {
  const unsigned short sign = std::signbit(value) ? 0x8000 : 0;
  const float size = std::fabs(value);
  if (value != value) return 0x7e00;
  if (size >= 65520.0f) return sign | 0x7c00;
  int exponent = 0;
  if (size < std::ldexp(1.0f, -14)) {  // subnormal: a multiple of 2**-24
    return sign | static_cast<unsigned short>(std::nearbyint(std::ldexp(size, 24)));
  }
  std::frexp(size, &exponent);  // size = m * 2**exponent, m in [1/2, 1)
  const long fraction = std::lrint(std::ldexp(size, 11 - exponent));  // 1024 to 2048
  return sign | static_cast<unsigned short>(((exponent + 14) << 10) + (fraction - 1024));
}

}  // namespace liftwave
