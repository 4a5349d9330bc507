#include "common/require.hpp"

#include <stdexcept>
#include <string>

namespace liftwave {

void fail(const char* what) {
  throw std::logic_error(std::string("a fault of liftwave, please report it: ") + what);
}

}  // namespace liftwave
