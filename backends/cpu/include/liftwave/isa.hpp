// The instruction set that this translation unit is compiled for.
//
// Kernels are compiled once per instruction set, each time in a namespace of
// its own (LIFTWAVE_ISA, set by CMake), so that the linker never swaps one
// build of a template for another that the processor cannot run.
#pragma once

#ifndef LIFTWAVE_ISA
#define LIFTWAVE_ISA baseline
#endif

#ifndef LIFTWAVE_VECTOR_BYTES
#define LIFTWAVE_VECTOR_BYTES 16
#endif

#ifndef LIFTWAVE_INLINE
#if defined(_MSC_VER)
#define LIFTWAVE_INLINE __forceinline
#else
#define LIFTWAVE_INLINE [[gnu::always_inline]] inline
#endif
#endif

// For recursive functions: compilers that inline them see more axes than there can be, and warn.
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
