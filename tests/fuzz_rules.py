"""The differences from PyWavelets that are intended, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from fuzz_arguments import SHORT_MODES
from fuzz_calls import Call
from fuzz_conditions import (
    accepted,
    adds_nothing,
    arguments,
    both,
    either,
    either_of,
    has_dtype,
    has_empty_list,
    has_few_samples,
    has_large_first_row,
    has_negative,
    has_repeats,
    has_whole_float,
    is_firm_limit,
    is_mixed,
    lacks_details,
    of,
    option,
    other_class,
    other_result,
    raises,
    rejected,
    samples,
    some,
    wrong_types,
)
from fuzz_outcomes import Outcome


@dataclass(frozen=True)
class Rule:
    """A difference.

    Attributes
    ----------
    reason : str
        What PyWavelets does, and why liftwave differs.
    applies : callable
        Whether a call meets the condition of the rule.
    outcome : callable
        Whether the outcomes differ in the way that the rule describes.
    """

    reason: str
    applies: Callable[[Call], bool]
    outcome: Callable[[Outcome, Outcome | None], bool]

    def explains(self, call: Call, ours: Outcome | None, theirs: Outcome | None) -> bool:
        """Whether the rule explains the difference."""
        return ours is not None and self.applies(call) and self.outcome(ours, theirs)


COMPUTED = ("antisymmetric", "antireflect", "smooth")
INVERSE = of("idwt", "idwt2", "idwtn", "waverec", "waverec2", "waverecn")
PACKING = of("coeffs_to_array", "ravel_coeffs", "unpacked_array", "unpacked_line")
COUNTS = of("dwt_max_level", "dwt_coeff_len")
IN_ND = of(
    *("dwt2", "dwtn", "wavedec2", "wavedecn", "fswavedecn", "wavedecn_shapes"),
    *("idwt2", "idwtn", "waverec2", "waverecn", "dwtn_max_level"),
)

RULES = [
    # Data.
    Rule(
        "Bands of longdouble and other dtypes: PyWavelets raises, or computes in double precision.",
        both(has_dtype("longdouble", "clongdouble"), is_mixed),
        either(accepted, other_class, other_result),
    ),
    Rule(
        "Bands of float16: PyWavelets gives float64 for some of them, not float32.",
        both(INVERSE, has_dtype("float16")),
        lambda ours, theirs: other_result(ours, theirs) and theirs.result.dtype == np.float64,
    ),
    Rule(
        "pad by computed samples: float16 becomes float32, as in transforms.",
        both(of("pad"), has_dtype("float16")),
        other_result,
    ),
    Rule(
        "pad by computed samples: unsigned integers wrap around in PyWavelets.",
        both(of("pad"), has_dtype("bool", "uint8", "uint16", "uint32", "uint64")),
        either(accepted, other_result),
    ),
    Rule(
        "A threshold does not change the dtype, even if it is a scalar of NumPy.",
        both(of("threshold", "threshold_firm"), lambda c: isinstance(c.arguments[1], np.float32)),
        other_result,
    ),
    Rule(
        "A substitute out of the range of an unsigned dtype: it wraps around in PyWavelets.",
        both(of("threshold"), has_dtype("uint8", "uint16", "uint32", "uint64"), has_negative),
        rejected,
    ),
    Rule(
        "clongdouble becomes complex128. Where it computes nothing, PyWavelets keeps it.",
        both(has_dtype("clongdouble"), either_of(PACKING, of("pad", "dwtn", "fswavedecn"))),
        other_result,
    ),
    Rule(
        "PyWavelets' 1-D functions read complex numbers in lists as real ones, or fail.",
        some(lambda x: x.layout == "list" and np.dtype(x.dtype).kind == "c"),
        either(accepted, other_result),
    ),
    Rule(
        "PyWavelets does not read every memory layout in one dimension.",
        some(lambda x: x.layout in ("read-only", "broadcast", "unaligned")),
        accepted,
    ),
    Rule(
        "Numbers: PyWavelets passes them to code that needs an axis.",
        either_of(some(lambda x: x.shape == ()), lambda call: 1.0 in call.arguments[:2]),
        either(accepted, other_class),
    ),
    Rule(
        "PyWavelets' fswavedecn of a number transforms nothing.",
        of("fswavedecn"),
        raises("ShapeError", lambda ours, theirs: "at least 1D" in ours.message),
    ),
    Rule(
        "waverec of PyWavelets accepts only one None at the beginning.",
        of("waverec", "waverec2", "waverecn"),
        lambda ours, theirs: accepted(ours, theirs) and "must be specified" in theirs.message,
    ),
    Rule(
        "Arrays without samples: PyWavelets finds this later, in another check.",
        either_of(some(lambda x: 0 in x.shape), has_empty_list),
        either(rejected, other_class, accepted),
    ),
    Rule(
        "Repeated axes: the bands overlap, and overwrite each other in another order.",
        both(PACKING, option("axes", 1, has_repeats)),
        other_result,
    ),
    # Arguments.
    Rule(
        "Whole floats as levels and axes: PyWavelets accepts them in some functions.",
        has_whole_float,
        accepted,
    ),
    Rule(
        "PyWavelets does not check types. Its classes of errors for them depend on the function.",
        wrong_types,
        either(rejected, other_class),
    ),
    Rule(
        "Negative counts: OverflowError of the conversion to an unsigned number.",
        both(of("dwt_max_level", "dwt_coeff_len", "upcoef"), has_negative),
        either(other_class, accepted),
    ),
    Rule(
        "dwt_coeff_len of PyWavelets accepts no names of wavelets.",
        both(of("dwt_coeff_len"), lambda call: isinstance(call.arguments[1], str)),
        either(accepted, other_class),
    ),
    Rule(
        "Lengths that are floats without a fraction: PyWavelets accepts them in some functions.",
        both(COUNTS, lambda call: any(isinstance(v, float) for v in arguments(call))),
        either(accepted, other_class),
    ),
    Rule(
        "pad of PyWavelets accepts no numbers and no short names of modes.",
        both(of("pad"), option("mode", 2, lambda mode: mode in (*range(9), *SHORT_MODES))),
        accepted,
    ),
    Rule(
        "PyWavelets' fswavedecn and idwtn accept an empty tuple of axes.",
        both(of("fswavedecn", "idwtn"), option("axes", 4, lambda axes: axes == ())),
        rejected,
    ),
    Rule(
        "The band of downcoef and upcoef: PyWavelets looks for it in the string 'ad'.",
        both(of("downcoef", "upcoef"), lambda call: call.arguments[0] not in ("a", "d")),
        either(rejected, other_class),
    ),
    Rule(
        "pad of PyWavelets fails for computed samples if it has none to add.",
        both(of("pad"), option("mode", 2, lambda mode: mode in COMPUTED), adds_nothing),
        accepted,
    ),
    # Results.
    Rule(
        "Too few coefficients for the filters: PyWavelets crashes, or returns an empty array.",
        INVERSE,
        raises("ShapeError", lambda ours, theirs: "too few to synthesise" in ours.message),
    ),
    Rule(
        "fswavedecn of no level: PyWavelets returns the data in their own dtype.",
        of("fswavedecn"),
        lambda ours, theirs: other_result(ours, theirs) and not any(ours.result["levels"]),
    ),
    Rule(
        "dwtn along no axis: PyWavelets returns the data in their own dtype.",
        both(of("dwtn"), option("axes", 3, lambda axes: axes == ())),
        other_result,
    ),
    Rule(
        "Without details, PyWavelets does not look at the axes.",
        both(
            INVERSE,
            lambda call: isinstance(call.arguments[0], list) and len(call.arguments[0]) == 1,
        ),
        rejected,
    ),
    Rule(
        "waverecn: an approximation one longer than the details fits at every level.",
        of("waverecn"),
        accepted,
    ),
    Rule(
        "coeffs_to_array without the band of details along all axes: KeyError in PyWavelets.",
        PACKING,
        raises("ShapeError", lambda ours, _: "lacks the band" in ours.message),
    ),
    Rule(
        "coeffs_to_array: PyWavelets lets larger bands overlap others.",
        PACKING,
        raises("ShapeError", lambda ours, theirs: "larger than its place" in ours.message),
    ),
    Rule(
        "coeffs_to_array: liftwave pads bands that are smaller along any axis.",
        PACKING,
        lambda ours, theirs: accepted(ours, theirs) and "broadcast" in theirs.message,
    ),
    Rule(
        "At level 0, or for shapes only, PyWavelets does not look at modes and axes.",
        of("wavedec", "wavedec2", "wavedecn", "wavedecn_shapes"),
        either(raises("ModeError", rejected), raises("AxisError", rejected)),
    ),
    Rule(
        "Bands of different dtypes: PyWavelets packs them in the dtype of the approximation.",
        both(PACKING, is_mixed),
        either(other_result, accepted),
    ),
    Rule(
        "Bands that do not fit: PyWavelets raises RuntimeError.",
        INVERSE,
        raises(
            "ShapeError", lambda _, theirs: theirs is not None and "RuntimeError" in theirs.errors
        ),
    ),
    Rule(
        "Shapes that a transform does not support: PyWavelets crashes or hangs.",
        lambda call: True,
        raises("ShapeError", lambda ours, theirs: theirs is None),
    ),
    Rule(
        "Levels without details: PyWavelets raises errors of lists and dictionaries.",
        both(PACKING, lacks_details),
        either(other_class, rejected),
    ),
    Rule(
        "Nothing to reconstruct: PyWavelets returns None, or an empty list.",
        both(INVERSE, lambda call: not samples(call)),
        rejected,
    ),
    Rule(
        "One sample: PyWavelets' pad extrapolates it with a slope, unlike its dwt.",
        both(of("pad"), option("mode", 2, lambda mode: mode == "smooth"), has_few_samples),
        other_result,
    ),
    Rule(
        "PyWavelets does not keep large values if all of them are in the first row.",
        both(of("threshold_firm"), has_large_first_row),
        other_result,
    ),
    Rule(
        "threshold_firm with value_high=inf, or equal thresholds: nan.",
        both(of("threshold_firm"), is_firm_limit),
        other_result,
    ),
    Rule(
        "threshold by the mode garrote: squares of small integers overflow in PyWavelets.",
        both(of("threshold"), has_dtype("int8", "uint8"), option("mode", 2, "garrote".__eq__)),
        other_result,
    ),
    Rule(
        "threshold(0, 0), soft or garrote: nan; also for negative thresholds.",
        both(of("threshold", "threshold_firm"), lambda call: call.arguments[1] <= 0),
        other_result,
    ),
    Rule(
        "wavedecn_shapes of PyWavelets accepts single samples in the modes [anti]reflect.",
        of("wavedecn_shapes"),
        raises("ShapeError", lambda ours, theirs: "[anti]reflect" in ours.message),
    ),
    Rule(
        "wavedecn_shapes of different wavelets without level: fewer levels than wavedecn.",
        both(of("wavedecn_shapes"), lambda call: isinstance(call.arguments[1], tuple)),
        other_result,
    ),
]
