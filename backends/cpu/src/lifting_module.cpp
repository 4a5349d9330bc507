// Python bindings of lifting: plans, and transforms between arrays that Python allocated.
#include "liftwave/lifting_module.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "liftwave/lifting.hpp"
#include "liftwave/lifting_gradient.hpp"

namespace nb = nanobind;

namespace liftwave {

namespace baseline {
LiftKernels lift_kernels(DType work, Sums sums);
GradientKernel lift_gradient_kernel(DType work);
}
#if defined(LIFTWAVE_X86_LEVELS)
namespace avx2 {
LiftKernels lift_kernels(DType work, Sums sums);
GradientKernel lift_gradient_kernel(DType work);
}
namespace avx512 {
LiftKernels lift_kernels(DType work, Sums sums);
GradientKernel lift_gradient_kernel(DType work);
}
#endif

namespace {

LiftTable table = baseline::lift_kernels;
GradientTable gradient_table = baseline::lift_gradient_kernel;

void choose_table(const std::string& isa) {
#if defined(LIFTWAVE_X86_LEVELS)
  if (isa == "avx2") table = avx2::lift_kernels, gradient_table = avx2::lift_gradient_kernel;
  if (isa == "avx512")
    table = avx512::lift_kernels, gradient_table = avx512::lift_gradient_kernel;
#endif
  (void)isa;
}

// --- plans -----------------------------------------------------------------------------------

using Sides = std::array<std::vector<index_t>, 2>;  // left and right rows: index, or -1 for zero
// target, subtract, offset, taps, numerators, bits, extend, fold
using StepArgument = std::tuple<int, bool, index_t, std::vector<double>, std::vector<std::int64_t>,
                                int, Sides, Sides>;

void make_plan(LiftPlan* plan, index_t n, int edge, const std::vector<StepArgument>& steps,
               std::array<index_t, 2> shift, std::array<double, 2> scale) {
  std::vector<StepSpec> specs;
  for (const auto& [target, subtract, offset, taps, numerators, bits, extend, fold] : steps)
    specs.push_back({target, subtract, offset, taps, numerators, bits, extend, fold});
  new (plan) LiftPlan(n, static_cast<Edge>(edge), std::move(specs), shift, scale);
}

std::vector<AxisLift> lifts_of(nb::sequence plans) {
  std::vector<AxisLift> lifts;
  for (nb::handle item : plans)
    lifts.push_back({nb::cast<int>(item[0]), nb::cast<const LiftPlan*>(item[1])});
  return lifts;
}

// --- arrays ----------------------------------------------------------------------------------

DType dtype_of(const char* format, index_t size) {
  // A prefix says that numbers are not aligned (or that they are).
  const bool prefixed = format && format[0] && std::strchr("@=^", format[0]);
  const char* const plain = prefixed ? format + 1 : format;
  const std::string code = plain ? plain : "B";
  const auto signed_of = [size] {
    return size == 1 ? DType::int8 : size == 2 ? DType::int16 : size == 4 ? DType::int32 : DType::int64;
  };
  if (code == "f") return DType::float32;
  if (code == "d") return DType::float64;
  if (code == "Zf") return DType::complex64;
  if (code == "Zd") return DType::complex128;
  if (code.size() == 1 && std::strchr("bhilq", code[0])) return signed_of();
  if (code == "B") return DType::uint8;
  if (code == "H") return DType::uint16;
  if (code.size() == 1 && std::strchr("IL", code[0]) && size == 4) return DType::uint32;
  throw nb::type_error("lifting: expected numbers of at most 64 bits");
}

class Buffer {
 public:
  Buffer(nb::handle object, int flags) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, flags | PyBUF_FORMAT | PyBUF_STRIDES) != 0)
      throw nb::python_error();
    try {
      dtype = dtype_of(buffer_.format, buffer_.itemsize);
    } catch (...) {
      PyBuffer_Release(&buffer_);
      throw;
    }
  }
  ~Buffer() {
    if (buffer_.obj) PyBuffer_Release(&buffer_);
  }
  Buffer(Buffer&& other) noexcept : dtype(other.dtype), buffer_(other.buffer_) {
    other.buffer_.obj = nullptr;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  ArrayRef array() const {
    ArrayRef ref{static_cast<char*>(buffer_.buf), dtype, {}, {}};
    ref.shape.assign(buffer_.shape, buffer_.shape + buffer_.ndim);
    ref.strides.assign(buffer_.strides, buffer_.strides + buffer_.ndim);
    return ref;
  }

  // Whether every number lies where numbers of its size may lie.
  bool aligned() const {
    const bool complex = dtype == DType::complex64 || dtype == DType::complex128;
    const index_t size = buffer_.itemsize / (complex ? 2 : 1);
    if (reinterpret_cast<std::uintptr_t>(buffer_.buf) % static_cast<std::size_t>(size)) return false;
    for (int d = 0; d < buffer_.ndim; ++d)
      if (buffer_.shape[d] > 1 && buffer_.strides[d] % size) return false;
    return true;
  }

  DType dtype;

 private:
  Py_buffer buffer_;
};

std::vector<Buffer> buffers_of(nb::sequence arrays, int flags) {
  std::vector<Buffer> buffers;
  buffers.reserve(nb::len(arrays));
  for (nb::handle array : arrays) buffers.emplace_back(array, flags);
  return buffers;
}

std::vector<ArrayRef> arrays_of(const std::vector<Buffer>& buffers) {
  std::vector<ArrayRef> arrays;
  for (const Buffer& buffer : buffers) arrays.push_back(buffer.array());
  return arrays;
}

// False where the samples are not aligned; nothing was done then.
bool lift_analyse(nb::handle x, nb::sequence bands, nb::sequence plans) {
  const Buffer signal(x, 0);
  if (!signal.aligned()) return false;
  const std::vector<Buffer> buffers = buffers_of(bands, PyBUF_WRITABLE);
  const auto lifts = lifts_of(plans);
  const ArrayRef from = signal.array();
  const std::vector<ArrayRef> to = arrays_of(buffers);
  nb::gil_scoped_release released;
  lift_analysis(from, lifts, to, table);
  return true;
}

// False where coefficients are not aligned; nothing was done then.
bool lift_synthesise(nb::sequence bands, nb::handle out, nb::sequence plans) {
  const Buffer signal(out, PyBUF_WRITABLE);
  const std::vector<Buffer> buffers = buffers_of(bands, 0);
  for (const Buffer& buffer : buffers)
    if (!buffer.aligned()) return false;
  const auto lifts = lifts_of(plans);
  const ArrayRef to = signal.array();
  const std::vector<ArrayRef> from = arrays_of(buffers);
  nb::gil_scoped_release released;
  lift_synthesis(from, lifts, to, table);
  return true;
}

// The gradients of all taps and of the two scales, in the order of `undoing`. Signals and bands are
// those of the values and of the cotangents: with `merges`, bands are given and signals made. None
// where what is given is not aligned; nothing was done then.
nb::object lift_vjp(nb::sequence signals, nb::sequence bands, int axis, const LiftPlan& undoing,
                    const LiftPlan& transposed, bool merges) {
  const std::vector<Buffer> whole = buffers_of(signals, merges ? PyBUF_WRITABLE : 0);
  const std::vector<Buffer> halves = buffers_of(bands, merges ? 0 : PyBUF_WRITABLE);
  if (whole.size() != 2 || halves.size() != 4)
    throw nb::value_error("lifting gradient: expected two signals and four bands");
  for (const Buffer& buffer : merges ? halves : whole)
    if (!buffer.aligned()) return nb::none();
  const LiftedPair values{whole[0].array(), {halves[0].array(), halves[1].array()}};
  const LiftedPair cotangents{whole[1].array(), {halves[2].array(), halves[3].array()}};
  std::vector<double> gradients(static_cast<std::size_t>(undoing.tap_count() + 2));
  {
    nb::gil_scoped_release released;
    lift_gradient(values, cotangents, {axis, &undoing, &transposed}, merges, gradients.data(),
                  gradient_table);
  }
  return nb::cast(gradients);
}

}  // namespace

void bind_lifting(nb::module_& m, const char* isa) {
  choose_table(isa);
  // Plans are kept as long as those that they were made of, which may be until the very end.
  nb::set_leak_warnings(false);
  nb::class_<LiftPlan>(m, "LiftPlan")
      .def("__init__", &make_plan, nb::arg("n"), nb::arg("edge"), nb::arg("steps"),
           nb::arg("shift"), nb::arg("scale"));
  m.def("lift_analyse", &lift_analyse, nb::arg("x"), nb::arg("bands"), nb::arg("plans"));
  m.def("lift_vjp", &lift_vjp, nb::arg("signals"), nb::arg("bands"), nb::arg("axis"),
        nb::arg("undoing"), nb::arg("transposed"), nb::arg("merges"));
  m.def("lift_synthesise", &lift_synthesise, nb::arg("bands"), nb::arg("out"), nb::arg("plans"));
}

}  // namespace liftwave
