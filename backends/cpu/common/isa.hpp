// The instruction set that this translation unit is compiled for.
//
// Kernels are compiled once per instruction set, each time in a separate namespace (LIFTWAVE_ISA,
// set by CMake). So the linker never replaces one build of a template by another that the processor
// cannot run.
#pragma once

#ifndef LIFTWAVE_ISA
#define LIFTWAVE_ISA baseline
#endif

#ifndef LIFTWAVE_VECTOR_BYTES
#define LIFTWAVE_VECTOR_BYTES 16
#endif

#include "common/inline.hpp"
