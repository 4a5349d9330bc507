// Prints the name of the best instruction set of the build machine; CMake runs it.
#include <cstdio>

#include "processor.hpp"

int main() {
  std::fputs(liftwave::has_avx512() ? "avx512" : liftwave::has_avx2() ? "avx2" : "baseline", stdout);
}
