#include "common/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#elif defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

// Variables in the thread's static block. glibc allocates others at their first use, and aborts if
// it cannot. (musl has no room for these variables in libraries that are loaded later.)
#if defined(__GLIBC__)
#define LIFTWAVE_THREAD_LOCAL __attribute__((tls_model("initial-exec"))) thread_local
#else
#define LIFTWAVE_THREAD_LOCAL thread_local
#endif

namespace liftwave {
namespace {

// Waking a thread takes about ten microseconds. A core moves about this many bytes in that time.
constexpr double grain = 128.0 * 1024;

// Ranges per thread: enough to balance the load when threads are interrupted.
constexpr index_t ranges_per_thread = 4;

// The most bytes of one range, after which signals are looked for. Most kernels move them in 30 ms,
// the most expensive ones in 300 ms. Each range of a synthesis along several axes computes planes
// around it again, so shorter ones cost more.
constexpr double range_bytes = 32.0 * 1024 * 1024;

constexpr std::chrono::milliseconds watch_interval{100};

constexpr std::chrono::microseconds waking_time{20};  // waking a thread takes about this long

int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

int from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::atoi(value) : 0;
}

int initial_threads() {
  for (const char* name : {"LIFTWAVE_NUM_THREADS", "OMP_NUM_THREADS"}) {
    if (int count = from_environment(name); count > 0) return count;
  }
  return available_processors();
}

std::atomic<int>& thread_setting() {
  static std::atomic<int> count{initial_threads()};
  return count;
}

LIFTWAVE_THREAD_LOCAL Watch* watch = nullptr;

// Ends a range of work that has failed in another thread.
struct Ended {};

// Items that threads take in ranges until none is left.
struct Job {
  RangeFunction work;
  index_t items;
  index_t step;
  std::atomic<index_t> next{0};
  std::mutex failure_lock;
  std::exception_ptr failure;
  std::atomic<bool> has_failed{false};

  Job(RangeFunction w, index_t n, index_t s) : work(w), items(n), step(s) {}

  // Works on ranges until none is left.
  void take_part() noexcept;

  // Looks for signals while other threads are at work.
  void watch_over() noexcept;

 private:
  // The first failure reaches the caller, and ends the work of all threads.
  template <class F>
  void attempt(const F& part) noexcept;
};

// The job that this thread works for. Nested work then uses this thread only.
LIFTWAVE_THREAD_LOCAL Job* current_job = nullptr;

template <class F>
void Job::attempt(const F& part) noexcept {
  current_job = this;
  try {
    part();
  } catch (...) {
    next = items;
    std::lock_guard<std::mutex> hold(failure_lock);
    if (!failure) failure = std::current_exception();
    has_failed = true;
  }
  current_job = nullptr;
}

void Job::take_part() noexcept {
  attempt([this] {
    for (index_t begin; (begin = next.fetch_add(step)) < items;) {
      look();
      work(begin, std::min(begin + step, items));
    }
  });
}

void Job::watch_over() noexcept { attempt(look); }

// Creates what a thread needs to throw exceptions. libstdc++ allocates it at the first throw, and
// glibc aborts if it cannot. False if memory is too short for that.
bool prepare_exceptions() {
  constexpr std::size_t more_than_enough = 1 << 14;
  void* const memory = std::malloc(more_than_enough);
  std::free(memory);
  return memory && std::uncaught_exceptions() >= 0;
}

class Pool {
 public:
  // False if another caller has the pool.
  bool run(Job& job, int helpers) {
    std::unique_lock<std::mutex> mine(caller_, std::try_to_lock);
    if (!mine) return false;
    {
      std::lock_guard<std::mutex> hold(lock_);
      while (workers_ < helpers && add_worker()) {
      }
      job_ = &job;
      places_ = helpers;
    }
    for (int i = 0; i < helpers; ++i) wake_.notify_one();
    job.take_part();
    std::unique_lock<std::mutex> hold(lock_);
    places_ = 0;
    job_ = nullptr;
    hold.unlock();
    wait_a_moment();
    hold.lock();
    const auto is_done = [this] { return active_ == 0; };
    while (watch && !job.has_failed && !idle_.wait_for(hold, watch_interval, is_done)) {
      hold.unlock();
      job.watch_over();
      hold.lock();
    }
    idle_.wait(hold, is_done);
    return true;
  }

 private:
  // Gives helpers time for their last range. To sleep and to be woken takes longer.
  void wait_a_moment() const {
    const auto stop = std::chrono::steady_clock::now() + waking_time;
    while (active_ > 0 && std::chrono::steady_clock::now() < stop) continue;
  }

  bool add_worker() {
    try {
      std::thread([this] { work(); }).detach();
    } catch (const std::system_error&) {
      return false;  // no more threads are available: the existing ones do the work
    } catch (const std::bad_alloc&) {
      return false;
    }
    ++workers_;
    return true;
  }

  void work() {
    const bool is_ready = prepare_exceptions();
    std::unique_lock<std::mutex> hold(lock_);
    if (!is_ready) {
      --workers_;
      return;
    }
    for (;;) {
      wake_.wait(hold, [this] { return places_ > 0; });
      --places_;
      ++active_;
      Job* job = job_;
      hold.unlock();
      job->take_part();
      hold.lock();
      if (--active_ == 0) idle_.notify_one();
    }
  }

  std::mutex caller_;  // held by the caller that uses the pool
  std::mutex lock_;    // guards all below
  std::condition_variable wake_, idle_;
  Job* job_ = nullptr;
  int places_ = 0;  // helpers that may still join
  std::atomic<int> active_{0};  // helpers at work
  int workers_ = 0;
};

// Never destroyed: workers may sleep in it until the process ends.
std::atomic<Pool*> the_pool{nullptr};

// The child of a fork has none of its parent's threads, and one of them may have held the pool's
// locks. So the child creates a new pool and leaves the old one alone.
void forget_pool() { the_pool = nullptr; }

Pool& pool() {
#if defined(__unix__) || defined(__APPLE__)
  static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
  (void)registered;
#endif
  Pool* existing = the_pool.load();
  if (existing) return *existing;
  Pool* fresh = new Pool;
  if (the_pool.compare_exchange_strong(existing, fresh)) return *fresh;
  delete fresh;
  return *existing;
}

// The number of items of each of at most `ranges` ranges.
index_t step_for(index_t items, index_t ranges) {
  ranges = std::min(items, ranges);
  return (items + ranges - 1) / ranges;
}

}  // namespace

void set_num_threads(int count) { thread_setting() = count > 0 ? count : initial_threads(); }

int get_num_threads() { return thread_setting(); }

int threads_for(double bytes) {
  if (current_job) return 1;
  const double deserved = std::min(bytes / grain, 1e6);
  return std::max(1, std::min(get_num_threads(), static_cast<int>(deserved)));
}

void parallel_ranges(index_t items, double bytes, RangeFunction work) {
  if (items <= 0) return;
  const index_t threads = std::min<index_t>(threads_for(bytes), items);
  if (threads > 1) {
    const index_t ranges = std::max(threads * ranges_per_thread, ranges_for(bytes));
    Job job(work, items, step_for(items, ranges));
    if (pool().run(job, static_cast<int>(threads - 1))) {
      if (job.failure) std::rethrow_exception(job.failure);
      return;
    }
  }
  const index_t step = step_for(items, ranges_for(bytes));
  for (index_t begin = 0; begin < items; begin += step) {
    look();
    work(begin, std::min(begin + step, items));
  }
}

index_t ranges_for(double bytes) {
  return std::max<index_t>(1, static_cast<index_t>(std::min(bytes / range_bytes, 1e9)));
}

// --- interruption ----------------------------------------------------------------------------

void look() {
  if (current_job && current_job->has_failed) throw Ended{};
  if (watch) watch->look();
}

Watch::Watch(Check check, void* context)
    : check_(check), context_(context), due_(Clock::now() + watch_interval), outer_(watch) {
  watch = this;
}

Watch::~Watch() { watch = outer_; }

void Watch::look() {
  if (Clock::now() < due_) return;
  check_(context_);
  due_ = Clock::now() + watch_interval;
}

// --- scratch ---------------------------------------------------------------------------------

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t smallest_block = std::size_t{1} << 18;
constexpr std::size_t kept = std::size_t{1} << 23;

// Large blocks are aligned to huge pages and request them. They are new in every call, and the
// first access to many small pages takes longer than the computation.
constexpr std::size_t large_page = std::size_t{1} << 21;

struct Block {
  char* memory;
  std::size_t size;
  std::align_val_t aligned;

  explicit Block(std::size_t bytes)
      : size(bytes), aligned(std::align_val_t{bytes < 2 * large_page ? alignment : large_page}) {
    memory = static_cast<char*>(::operator new(size, aligned));
#if defined(MADV_HUGEPAGE)
    if (size >= 2 * large_page) madvise(memory, size / large_page * large_page, MADV_HUGEPAGE);
#endif
  }
};

}  // namespace

// The memory of one thread.
struct Scratch::Blocks {
  std::vector<Block> all;
  std::size_t block = 0, used = 0;  // the next free byte

  ~Blocks() { drop(0); }

  void drop(std::size_t from) {
    while (all.size() > from) {
      ::operator delete(all.back().memory, all.back().aligned);
      all.pop_back();
    }
  }

  void add(std::size_t size) {
    all.reserve(all.size() + 1);
    all.emplace_back(size);
  }
};

#if defined(__unix__) || defined(__APPLE__)

// The destructor of a thread_local object is registered at its first use, and glibc aborts if it
// has no memory for that. A key reports the failure.
Scratch::Blocks& Scratch::of_this_thread() {
  static LIFTWAVE_THREAD_LOCAL Blocks* blocks = nullptr;
  if (blocks) return *blocks;
  prepare_exceptions();
  static const pthread_key_t key = [] {
    pthread_key_t fresh;
    if (pthread_key_create(&fresh, [](void* memory) { delete static_cast<Blocks*>(memory); })) {
      throw std::bad_alloc();
    }
    return fresh;
  }();
  auto fresh = std::make_unique<Blocks>();
  if (pthread_setspecific(key, fresh.get())) throw std::bad_alloc();
  return *(blocks = fresh.release());
}

#else

Scratch::Blocks& Scratch::of_this_thread() {
  static thread_local Blocks blocks;
  return blocks;
}

#endif

Scratch::Scratch() : blocks_(of_this_thread()), block_(blocks_.block), used_(blocks_.used) {}

Scratch::~Scratch() {
  blocks_.block = block_;
  blocks_.used = used_;
  if (block_ != 0 || used_ != 0) return;
  std::size_t total = 0, keep = 0;
  while (keep < blocks_.all.size() && (total += blocks_.all[keep].size) <= kept) ++keep;
  blocks_.drop(keep);
}

void* Scratch::bytes(std::size_t size) {
  // Odd multiples of a cache line: consecutive arrays do not share cache sets.
  size = (size + alignment - 1) / alignment * alignment + alignment;
  while (blocks_.block < blocks_.all.size() &&
         blocks_.all[blocks_.block].size - blocks_.used < size) {
    ++blocks_.block;
    blocks_.used = 0;
  }
  if (blocks_.block == blocks_.all.size()) blocks_.add(std::max(size, smallest_block));
  char* taken = blocks_.all[blocks_.block].memory + blocks_.used;
  blocks_.used += size;
  return taken;
}

}  // namespace liftwave
