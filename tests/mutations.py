"""Introduces errors into the sources, one at a time, and counts how many the tests detect.

    python tests/mutations.py [NUMBER ...] [--jobs 2] [--tests FOLDER] [--json FILE]

A mutation replaces one piece of a source file by a wrong one. It is caught if the default run of
the tests fails; the run stops at the first failure. Each mutation names the tests that are likely
to catch it. These run first, and the whole suite runs if they pass. The script works in a copy of
the working tree. It compiles C++ sources in a build folder beside it (this needs CMake and
nanobind). ``--tests`` takes the tests from another checkout, to compare two versions of the tests
on the same mutations.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

COMPILED = ("backends/cpu", "backends/shared")
"""Folders of C++ sources."""


class Mutation(NamedTuple):
    """A piece of a source file, its replacement, and the tests that are likely to detect it."""

    path: str
    old: str
    new: str
    tests: str


MUTATIONS = (
    # Plans.
    Mutation(
        "liftwave/_plan/axis.py",
        "first = taps.stride * start + taps.phase - taps.reach",
        "first = taps.stride * start + taps.phase - taps.reach + 1",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "phase, n_out = length // 2 - 1, 2 * m",
        "phase, n_out = length // 2, 2 * m",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "n_out = 2 * m - 2 + length",
        "n_out = 2 * m - 1 + length",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "return self._transposed(analysis_padding, self.n_out == self.stride * self.extend.n)",
        "return self._transposed(analysis_padding, True)",
        "adjoint vjp",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "extend = zero_extension(n_in, *padding) if self.fold.vanishes else self.fold",
        "extend = zero_extension(n_in, *padding)",
        "vjp adjoint torch_gradients",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "step_padding((m + target) // 2, 0, (m + 1 - target) // 2, length, offset)",
        "step_padding((m + 1) // 2, 0, (m + 1 - target) // 2, length, offset)",
        "lifting_transforms",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "        shift if periodic else (0, 0),\n",
        "        (0, 0),\n",
        "lifting_transforms",
    ),
    Mutation(
        "liftwave/_plan/lengths.py",
        "(n + 1) // 2 if mode in",
        "n // 2 if mode in",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/interval_ends.py",
        "rows[:, ::-1] if forward",
        "rows[::-1, ::-1] if forward",
        "orthogonal_mode",
    ),
    Mutation(
        "liftwave/_plan/interval_ends.py",
        "places = np.arange(len(functions), dtype=np.float64)[::-1]",
        "places = np.arange(len(functions), dtype=np.float64)",
        "orthogonal_mode",
    ),
    Mutation(
        "liftwave/_plan/interval_ends.py",
        "lowest, highest = lowest + 1, highest - 1",
        "lowest, highest = lowest, highest",
        "orthogonal_mode",
    ),
    Mutation(
        "liftwave/_kernels/interval.py",
        "band.shape[axis] - count if is_last else 0",
        "0",
        "orthogonal_mode",
    ),
    Mutation(
        "liftwave/_plan/axes.py",
        '    if "a" in lengths:\n',
        "    if False:\n",
        "parity decomposition",
    ),
    Mutation(
        "liftwave/_plan/arguments.py",
        "return min(levels, default=0)",
        "return max(levels, default=0)",
        "parity",
    ),
    # Rows beyond the ends.
    Mutation(
        "liftwave/_plan/boundary.py",
        "return ((min(p, 2 * n - 1 - p), 1.0),)",
        "return ((min(p, max(0, 2 * n - 2 - p)), 1.0),)",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/boundary.py",
        "return ((p, 1.0),) if p < n else ((2 * n - 1 - p, -1.0),)",
        "return ((p, 1.0),) if p < n else ((2 * n - 1 - p, 1.0),)",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/boundary.py",
        "return ((0, 1.0 - i), (1, float(i)))",
        "return ((0, 1.0), (1, 0.0))",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/boundary.py",
        "weights = {0: -2.0 * periods, n - 1: 2.0 * periods}",
        "weights = {0: -2.0 * min(periods, 1), n - 1: 2.0 * min(periods, 1)}",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/boundary.py",
        "return ((min(i % (n + n % 2), n - 1), 1.0),)",
        "return ((i % n, 1.0),)",
        "parity",
    ),
    Mutation(
        "liftwave/_plan/boundary.py",
        "return (((reflected(2 * i + parity, n) - parity) // 2, 1.0),)",
        "return (((reflected(2 * i, n)) // 2 % length, 1.0),)",
        "lifting_transforms",
    ),
    # Transposed plans.
    Mutation(
        "liftwave/_plan/transpose.py",
        "taps = tuple(reversed_taps(t) for t in reversed(step.taps))",
        "taps = tuple(reversed_taps(t) for t in step.taps)",
        "adjoint vjp",
    ),
    Mutation(
        "liftwave/_plan/transpose.py",
        "        if any(band.startswith(key) for band in present):\n",
        "        if True:\n",
        "vjp adjoint",
    ),
    Mutation(
        "liftwave/_plan/transpose.py",
        "transpose = _once(transposed_synthesis_step if used == level.shape else "
        "_of_shortened(used))",
        "transpose = _once(transposed_synthesis_step)",
        "vjp adjoint",
    ),
    Mutation(
        "liftwave/_plan/transpose.py",
        "return FilterStep(step.axis, step.plan.synthesis_adjoint(), _reversed(step.filters))",
        "return FilterStep(step.axis, step.plan.synthesis_adjoint(), step.filters)",
        "adjoint vjp",
    ),
    Mutation(
        "liftwave/_plan/axis.py",
        "self.dilation * (self.length - 1) - self.phase",
        "self.length - 1 - self.phase",
        "undecimated_modes",
    ),
    # The reference kernels.
    Mutation(
        "liftwave/_kernels/reference/filters.py",
        "runs = _runs(plan, offset - len(plan.fold.left))",
        "runs = _runs(plan, offset)",
        "vjp adjoint",
    ),
    Mutation(
        "liftwave/_kernels/reference/filters.py",
        "wide_cotangent = extended(cotangent, plan.fold, axis)",
        "wide_cotangent = extended(cotangent, type(plan.fold)(plan.n_out), axis)",
        "kernel_gradients vjp cuda_filters",
    ),
    Mutation(
        "liftwave/_kernels/reference/reversible.py",
        "outer = -current_cotangents[target] if subtract else current_cotangents[target]",
        "outer = current_cotangents[target]",
        "vjp lift_pool",
    ),
    Mutation(
        "liftwave/_kernels/reference/pooling/weights.py",
        "w, lambda c: w * (c - region.total(w * c)), lambda x",
        "w, lambda c: w * c, lambda x",
        "pooling_gradients",
    ),
    Mutation(
        "liftwave/_kernels/reference/pooling/weights.py",
        "of_mean = region.total(cotangent * similarity.in_mean) * region.share",
        "of_mean = region.total(cotangent * similarity.in_mean)",
        "pooling_gradients",
    ),
    Mutation(
        "liftwave/_kernels/reference/pooling/weights.py",
        "t = xp.where(larger == 0, xp.ones_like(by), smaller / by)",
        "t = smaller / by",
        "pooling",
    ),
    Mutation(
        "liftwave/_kernels/reference/pooling/regions.py",
        "return k == s and d == 1 and p == 0 and o * k <= n",
        "return k == s and p == 0 and o * k <= n",
        "pooling",
    ),
    Mutation(
        "liftwave/_kernels/reference/pooling/regions.py",
        "valid = (samples >= 0) & (samples < n)",
        "valid = (samples >= 0) & (samples <= n)",
        "pooling",
    ),
    # Dtypes, integers, thresholds.
    Mutation(
        "liftwave/_arrays/integers.py",
        "gain *= max(1.0, approx) ** max(0, level - 1) * max(1.0, approx, detail)",
        "gain *= max(1.0, approx, detail)",
        "integers lifting_transforms",
    ),
    Mutation(
        "liftwave/_arrays/integers.py",
        "peak * max(largest, 127) < limit",
        "peak * largest < 2 * limit",
        "integers",
    ),
    Mutation(
        "liftwave/_arrays/integers.py",
        'return 2.0 ** (_bits(name) - (0 if name.startswith("u") else 1))',
        "return 2.0 ** (_bits(name) - 1)",
        "integers",
    ),
    Mutation(
        "liftwave/thresholding.py",
        "np.multiply(factors, factors, out=factors)",
        "pass",
        "parity denoising",
    ),
    Mutation(
        "liftwave/thresholding.py",
        "is_regular = is_scaled & (magnitude > 0) & (magnitude < inf)",
        "is_regular = magnitude > 0",
        "thresholding",
    ),
    # Execution and torch.
    Mutation(
        "liftwave/_operations/transform.py",
        'return "outputs" if exact and self.is_reversible(shapes) else "inputs"',
        'return "outputs" if exact else "inputs"',
        "torch_gradients torch_modules",
    ),
    Mutation(
        "liftwave/_operations/transform.py",
        "        return not trims_approximations(data, self.keys, self.has_approx, self.outline)\n",
        "        return True\n",
        "vjp torch_gradients",
    ),
    Mutation(
        "liftwave/_operations/wavelet_operation.py",
        "sums[slot] = sums[slot] + value if slot in sums else value",
        "sums[slot] = value",
        "torch_gradients",
    ),
    Mutation(
        "liftwave/_bridge/operator.py",
        "        separate.append(y.clone() if address in used else y)\n",
        "        separate.append(y)\n",
        "torch_gradients torch_modules torch_compile",
    ),
    Mutation(
        "liftwave/_bridge/operator.py",
        "    if operation.needs_all_cotangents and len(present) < len(cotangents):\n",
        "    if False:\n",
        "torch_gradients",
    ),
    Mutation(
        "liftwave/_bridge/operator.py",
        "        or torch._C._are_functorch_transforms_active()\n",
        "",
        "torch_gradients",
    ),
    Mutation(
        "liftwave/_bridge/tensors.py",
        "    if count and all(dim is None for dim in dims[count:]):\n",
        "    if True:\n",
        "torch_gradients torch_pooling",
    ),
    Mutation(
        "liftwave/_bridge/operator.py",
        "ctx.gradient_of_sizes = [] if sizes is not None and not len(sizes) else None",
        "ctx.gradient_of_sizes = None",
        "torch_compile",
    ),
    Mutation(
        "liftwave/_execute.py",
        "            target[...] = opened[0].close(result)[tuple(map(slice, target.shape))]\n",
        "            pass\n",
        "out out_analysis",
    ),
    # Pooling.
    Mutation(
        "liftwave/_operations/weighted_pool.py",
        'data = arrays[:-1] if self.weights == "ada" else arrays',
        "data = arrays",
        "pooling",
    ),
    Mutation(
        "liftwave/_operations/max_pool.py",
        "        return [results[1]]\n",
        "        return [results[1] - results[1]]\n",
        "pooling_gradients torch_pooling",
    ),
    Mutation(
        "liftwave/_operations/unpool.py",
        "samples = np.arange(count)[:, None] * stride + np.arange(width)",
        "samples = np.arange(count)[:, None] * stride",
        "pooling_gradients",
    ),
    Mutation(
        "liftwave/_operations/unpool.py",
        "return tuple((n - 1) * s - 2 * p + k for n, k, s, p in axes)",
        "return tuple((n - 1) * s - p + k for n, k, s, p in axes)",
        "pooling_errors",
    ),
    Mutation(
        "liftwave/_kernels/cpu/levels.py",
        "if free and not any(np.may_share_memory(target, x) for x in inputs) else None",
        "if free else None",
        "out out_analysis",
    ),
    Mutation(
        "liftwave/_kernels/cpu/levels.py",
        "return [approx, *out[stop - len(part.keys[0]) : stop]]",
        "return [approx, *out[1 : 1 + len(part.keys[0])]]",
        "out_analysis",
    ),
    # C++: filter banks.
    Mutation(
        "backends/cpu/filters/line_cascade.hpp",
        "return first_input(plan(level + 1), next[level + 1].begin);",
        "return first_input(plan(level + 1), next[level + 1].begin) + 1;",
        "cpu_kernels",
    ),
    Mutation(
        "backends/cpu/filters/sinks.hpp",
        "const index_t sample = c / Lanes, to = sample / 2 * Lanes + c % Lanes;",
        "const index_t sample = c / Lanes, to = sample / 2 * Lanes;",
        "cpu_kernels",
    ),
    Mutation(
        "backends/cpu/filters/circular_levels.cpp",
        "std::min(axis.n, outputs + axis.behind());",
        "std::min(axis.n, outputs);",
        "out",
    ),
    Mutation(
        "liftwave/_kernels/cpu/whole_gradient.py",
        "offsets = [(place + self._before) % length for place in places]",
        "offsets = [place % length for place in places]",
        "whole_lifting_kernels",
    ),
    Mutation(
        "backends/cpu/filters/groups.hpp",
        "piece.shape[d] = std::min(width, whole.shape[d] - start);",
        "piece.shape[d] = width;",
        "cpu_kernels threads",
    ),
    Mutation(
        "backends/cpu/filters/packet_blocks.cpp",
        "to.turn = wraps_ && block == 0 ? 1 : 0;",
        "to.turn = 0;",
        "packet_kernels",
    ),
    Mutation(
        "backends/cpu/filters/packet_lines.hpp",
        "if (!ranges_.turn && all.end <= n) return line;",
        "return line;",
        "packet_kernels",
    ),
    Mutation(
        "backends/cpu/python/arrays.cpp",
        "reinterpret_cast<std::uintptr_t>(buffer_.buf) % static_cast<std::size_t>(size)",
        "false",
        "repeated_calls cpu_kernels",
    ),
    Mutation(
        "backends/cpu/python/arrays.cpp",
        "    if (!std::equal(shape.begin(), shape.end(), array.shape())) return false;\n",
        "",
        "repeated_calls",
    ),
    # C++: lifting.
    Mutation(
        "backends/cpu/lifting/lines.hpp",
        "if (beyond && axis.edge != Edge::last)",
        "if (beyond)",
        "cpu_lifting lifting_kernels lifting_transforms",
    ),
    Mutation(
        "backends/cpu/lifting/steps.hpp",
        "    for (index_t p = -step.fold.n_left; p < 0; ++p) fold(p);\n",
        "",
        "cpu_lifting lifting_kernels vjp",
    ),
    Mutation(
        "backends/cpu/lifting/schedule.cpp",
        "    if (course.next >= ready(target, i)) return false;\n",
        "",
        "cpu_lifting",
    ),
    Mutation(
        "backends/cpu/lifting/transform.cpp",
        "return narrow ? Sums::narrow : splits ? Sums::split : Sums::wide;",
        "return Sums::narrow;",
        "cpu_lifting integers",
    ),
    Mutation(
        "backends/cpu/lifting/transform.cpp",
        "if (kernels_.lanes16(job)) return;",
        "kernels_.lanes16(job); return;",
        "cpu_lifting",
    ),
    Mutation(
        "backends/cpu/lifting/transform.cpp",
        "(fits_lanes16(plans, static_cast<double>(middle)) ? largest : too_large) = middle;",
        "largest = middle;",
        "cpu_lifting",
    ),
    # C++: pooling.
    Mutation(
        "backends/cpu/common/vector_math.hpp",
        "return from_bits<T>(bits<T>(v) ^ (bits<T>(by) & sign_bit<T>));",
        "return v;",
        "pooling_kernels cpu_pooling",
    ),
    Mutation(
        "backends/shared/pooling_formulas.hpp",
        "const auto is_outer = magnitude<T>(a) > magnitude<T>(mean);",
        "const auto is_outer = magnitude<T>(a) < magnitude<T>(mean);",
        "pooling_kernels cpu_pooling",
    ),
    Mutation(
        "backends/cpu/pooling/add_at_places.cpp",
        "else to[places[i] * channels + c] += numbers[i];",
        "else to[places[i] * channels + c] = numbers[i];",
        "pooling_kernels cpu_pooling pooling_gradients",
    ),
    # CUDA, compiled for the host.
    Mutation(
        "backends/cuda/filters/lines.cuh",
        "sum = first ? tap * value : multiply_add(tap, value, sum);",
        "sum = multiply_add(tap, value, sum);",
        "filter_kernels cuda_filters",
    ),
    Mutation(
        "backends/cuda/common/boundary.cuh",
        "const index_t place = k < fold.before ? index_t(k) - fold.before : n + (k - fold.before);",
        "const index_t place = k < fold.before ? index_t(k) - fold.before : n + k;",
        "filter_kernels cuda_filters",
    ),
    Mutation(
        "backends/cuda/common/boundary.cuh",
        "index = (mirrored<I>(2 * i + x.parity, I(x.signal)) - x.parity) / 2;",
        "index = mirrored<I>(2 * i, I(x.signal)) / 2;",
        "lifting_kernels cuda_lifting",
    ),
    Mutation(
        "backends/cuda/filters/circular.cuh",
        "else if (at >= n) {",
        "else if (at > n) {",
        "circular_kernels cuda_circular",
    ),
    Mutation(
        "backends/cuda/filters/circular_lines.cuh",
        "const int i = Ascending ? m + q - (Several - 1) : m - q;",
        "const int i = m - q;",
        "circular_kernels cuda_circular",
    ),
    Mutation(
        "backends/cuda/lifting/steps.cuh",
        "U sum = U(1) << (step.bits - 1);\n#pragma unroll 1",
        "U sum = U(0);\n#pragma unroll 1",
        "lifting_kernels cuda_lifting",
    ),
    Mutation(
        "backends/cuda/lifting/whole_kernels.cuh",
        "if (!own.last) end -= step.after;",
        "if (!own.last) end -= step.before;",
        "whole_lifting_kernels cuda_whole_lifting",
    ),
    Mutation(
        "backends/cuda/lifting/whole_steps.cuh",
        "mirrored[e] != k",
        "true",
        "whole_lifting_kernels cuda_whole_lifting",
    ),
    Mutation(
        "backends/cuda/lift_pool/transform.cuh",
        "  __syncthreads();  // the next halving",
        "  // the next halving",
        "cuda_lift_pool",
    ),
    Mutation(
        "backends/cuda/pooling/weights.cuh",
        "      of_mean = sum * region.share;\n",
        "      of_mean = sum;\n",
        "pooling_kernels cuda_pooling",
    ),
    # The command line.
    Mutation(
        "liftwave/decomposition/description.py",
        '    if header["level"] >= max(bands, 1):\n',
        "    if False:\n",
        "decomposition_files cli_errors",
    ),
    Mutation(
        "liftwave/cli/tiff.py",
        "        array = np.moveaxis(array, 0, -1)\n",
        "        pass\n",
        "cli",
    ),
    Mutation(
        "liftwave/cli/denoising.py",
        "    return result if alpha is None else np.concatenate([result, alpha], axis=-1)\n",
        "    return result\n",
        "cli",
    ),
    # Blocks.
    Mutation(
        "liftwave/_plan/blocks.py",
        "shift = unit * max(map(abs, scheme.shift))",
        "shift = 0",
        "blocks",
    ),
    Mutation(
        "liftwave/_plan/blocks.py",
        "spans.append(Span(n - 1, n))",
        "spans.append(Span(n - 2, n - 1))",
        "blocks",
    ),
    Mutation(
        "liftwave/_plan/blocks.py",
        "last = max(stop, unit * max(lengths[-1]))",
        "last = max(stop, n)",
        "blocks",
    ),
    Mutation(
        "liftwave/_plan/blocks.py",
        "before = (dilation * (length - 1) - phase) // stride",
        "before = (dilation * (length - 1) - phase) // stride - 1",
        "blocks",
    ),
    Mutation(
        "liftwave/dask/graph.py",
        "edges = [0, *accumulate(sizes)]",
        "edges = [0, *accumulate(sorted(sizes))]",
        "dask",
    ),
    Mutation(
        "liftwave/dask/median.py",
        "middle = np.array([(count - 1) // 2, count // 2], np.int64)",
        "middle = np.array([count // 2, count // 2], np.int64)",
        "dask_denoising",
    ),
    Mutation(
        "liftwave/dask/denoising.py",
        "data = data.map_blocks(_finite, meta=data._meta)\n    if not depth",
        "if not depth",
        "dask_denoising",
    ),
    Mutation(
        "liftwave/zarr/analysis.py",
        "self.finished[place] = 1",
        "self.finished[place] = 0",
        "zarr",
    ),
    Mutation(
        "liftwave/zarr/analysis.py",
        "chunks.append(reduce(gcd, starts) if starts else spans[0][axis].stop)",
        "chunks.append(1 + spans[0][axis].stop)",
        "zarr",
    ),
    Mutation(
        "liftwave/dask/store.py",
        "if not marks[place]:",
        "if True:",
        "zarr",
    ),
)


def main() -> None:
    """Run the mutations and print what was caught."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, help="of the mutations; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="processes of each run of tests (2)")
    parser.add_argument("--tests", type=Path, default=ROOT / "tests", help="folder of the tests")
    parser.add_argument("--json", type=Path, help="write the results to a file")
    arguments = parser.parse_args()
    numbers = arguments.numbers or range(1, 1 + len(MUTATIONS))
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder), arguments.tests, arguments.jobs)
        for number in numbers:
            results[number] = tree.outcome(MUTATIONS[number - 1])
            print(f"{number:3} {MUTATIONS[number - 1].path:50} {results[number]}", flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    caught = sum(outcome.startswith("caught") for outcome in results.values())
    print(f"{caught} of {len(results)} caught")


class Tree:
    """A copy of the working tree in which sources are mutated and tested."""

    def __init__(self, folder: Path, tests: Path, jobs: int) -> None:
        self.source, self.build, self.jobs = folder / "source", folder / "build", jobs
        ignored = shutil.ignore_patterns(".git", "build", "__pycache__", "_build", ".pytest_cache")
        shutil.copytree(ROOT, self.source, ignore=ignored)
        if tests.resolve() != (ROOT / "tests").resolve():
            shutil.rmtree(self.source / "tests")
            shutil.copytree(tests, self.source / "tests", ignore=ignored)
        self._compile()

    def outcome(self, mutation: Mutation) -> str:
        """Whether the tests catch a mutation, which tests do, and the time in seconds."""
        path = self.source / mutation.path
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            return f"not applied: its text occurs {text.count(mutation.old)} times"
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        start = time.monotonic()
        try:
            if mutation.path.startswith(COMPILED) and not self._compile():
                return "not applied: it does not compile"
            likely = [f"tests/test_{name}.py" for name in mutation.tests.split()]
            failed = self._first_failure(likely) or self._first_failure(["tests", "liftwave"])
        finally:
            path.write_text(text, encoding="utf-8")
            if mutation.path.startswith(COMPILED):
                self._compile()
        seconds = time.monotonic() - start
        return f"caught by {failed} ({seconds:.0f} s)" if failed else f"missed ({seconds:.0f} s)"

    def _first_failure(self, tests: list[str]) -> str:
        present = [test for test in tests if (self.source / test).exists()]
        options = ["-q", "-x", "-n", str(self.jobs), "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *options, *present]
        done = subprocess.run(command, cwd=self.source, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return ""
        lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return lines[0].split(" - ")[0].split(maxsplit=1)[-1] if lines else "an error of pytest"

    def _compile(self) -> bool:
        """Compile the changed sources of the module for one instruction set."""
        python = f"-DPython_EXECUTABLE={sys.executable}"
        configure = ["cmake", "-S", self.source, "-B", self.build, python]
        build = ["cmake", "--build", self.build, "--parallel", str(self.jobs)]
        for command in (configure, build):
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return False
        for module in self.build.glob("_cpu*"):
            shutil.copy(module, self.source / "liftwave")
        return True


if __name__ == "__main__":
    main()
