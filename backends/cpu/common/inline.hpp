// What compilers inline and what they must not inline.
//
// Functions that kernels of several instruction sets share are always inlined. Otherwise the linker
// would keep one compiled copy, perhaps one that the processor cannot run.
#pragma once

#if defined(_MSC_VER)
#define LIFTWAVE_INLINE __forceinline
#else
#define LIFTWAVE_INLINE [[gnu::always_inline]] inline
#endif

// For recursive functions. Compilers that inline them assume more axes than possible, and warn.
#if defined(_MSC_VER)
#define LIFTWAVE_NOINLINE __declspec(noinline)
#else
#define LIFTWAVE_NOINLINE [[gnu::noinline]]
#endif

#if defined(_MSC_VER)
#define LIFTWAVE_INLINE_LAMBDA
#else
#define LIFTWAVE_INLINE_LAMBDA __attribute__((always_inline))
#endif
