"""Lifting schemes: a wavelet transform as a list of invertible steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

from liftwave.errors import WaveletError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting._checks import (
    all_of,
    as_integer,
    as_pair,
    as_scale,
    is_foreign,
    library,
)
from liftwave.wavelets.lifting.fixed_point import fixed_point
from liftwave.wavelets.lifting.laurent import ONE, Laurent
from liftwave.wavelets.lifting.polyphase import (
    IDENTITY,
    Polyphase,
    analysis_filter,
    noise_gain,
    responses,
    shortest_length,
    synthesis_filter,
)
from liftwave.wavelets.lifting.step import LiftingStep

if TYPE_CHECKING:
    import pywt


@dataclass(frozen=True, eq=False, repr=False)
class LiftingScheme:
    r"""A lifting scheme, accepted wherever a wavelet is.

    A signal is split into even and odd samples; the steps change one of them
    at a time; the even samples end as approximation, the odd ones as detail:

    .. math::

        cA_i = \mathtt{scale}_0\, \mathtt{even}_{i - \mathtt{shift}_0}, \qquad
        cD_i = \mathtt{scale}_1\, \mathtt{odd}_{i - \mathtt{shift}_1}

    (Sweldens, *The lifting scheme: a construction of second generation
    wavelets*, SIAM J. Math. Anal. 29, 1998). The transform is critically
    sampled, and invertible for any taps at any length.

    Parameters
    ----------
    steps : iterable of LiftingStep
        In the order in which the forward transform takes them.
    scale : (float, float), optional
        Factors of approximation and detail, not zero. 0-d arrays of another
        library are kept as they are.
    name : str, optional
        A name for ``repr`` and messages.
    shift : (int, int), optional
        Circular shift of approximation and detail that makes their numbering
        that of PyWavelets. Used under ``periodization`` only: other boundary
        modes number the bands by the samples they sit on.
    integer : bool, optional
        Whether every increment is rounded, so that integers become integers
        (see :meth:`to_integer`). The scales must then be 1 or -1.
    origin : FilterBank, optional
        The filter bank that was factored into this scheme, if any. It gives
        :attr:`dec_len`, and the digits that the smallest taps of long filters
        have lost in the steps, should they be factored anew.

    Raises
    ------
    TypeError
        If a step is no :class:`LiftingStep`, a scale no number, a shift no integer.
    ValueError
        If a scale is zero or not finite, or the arguments contradict each
        other (as :class:`WaveletError`).

    Notes
    -----
    Two schemes are equal if they compute the same thing: steps, scales,
    shifts and rounding count, ``name`` and ``origin`` do not.

    Examples
    --------
    >>> from liftwave.lifting import LiftingScheme
    >>> print(LiftingScheme.from_name("cdf5.3"))
    odd[k]  += -0.5*even[k] -0.5*even[k+1]
    even[k] += 0.25*odd[k-1] +0.25*odd[k]
    approx[k] = 1.41421*even[k]
    detail[k] = -0.707107*odd[k]
    """

    steps: tuple[LiftingStep, ...]
    scale: tuple[Any, Any] = (1.0, 1.0)
    name: str = ""
    shift: tuple[int, int] = (0, 0)
    integer: bool = False
    origin: FilterBank | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        checked = {
            "steps": all_of(LiftingStep, self.steps, "steps"),
            "scale": tuple(map(as_scale, as_pair(self.scale, "scale"))),
            "shift": tuple(as_integer(s, "shift") for s in as_pair(self.shift, "shift")),
            "integer": bool(self.integer),
        }
        if not isinstance(self.origin, FilterBank | None):
            raise TypeError(f"origin must be a FilterBank or None, got {self.origin!r}")
        for attribute, value in checked.items():
            object.__setattr__(self, attribute, value)
        if self.integer:
            _check_integer(self)

    @classmethod
    def from_name(cls, name: str) -> LiftingScheme:
        """The scheme of a wavelet by its name.

        Parameters
        ----------
        name : str
            Any of PyWavelets' discrete wavelets, or ``"cdf5.3"`` (``bior2.2``)
            and ``"cdf9.7"`` (``bior4.4``), the wavelets of JPEG 2000. Upper
            and lower case are the same.

        Raises
        ------
        FactorizationError
            For ``"dmey"``, whose table does not reconstruct.
        WaveletError
            If there is no such wavelet.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> LiftingScheme.from_name("bior4.4")
        LiftingScheme('bior4.4', 4 steps, scale=(1.1496, -0.86986))
        """
        # Factoring builds schemes, so that its modules can only be imported here.
        from liftwave.wavelets.lifting.factorization import scheme_of_name

        return scheme_of_name(name)

    @classmethod
    def from_wavelet(
        cls, wavelet: str | FilterBank | LiftingScheme | pywt.Wavelet
    ) -> LiftingScheme:
        """The scheme of anything that describes a wavelet.

        Parameters
        ----------
        wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
            A scheme is returned as it is.

        Raises
        ------
        FactorizationError
            If the filters have no accurate lifting scheme.
        WaveletError
            If it is not a wavelet.
        """
        if isinstance(wavelet, LiftingScheme):
            return wavelet
        if isinstance(wavelet, str):
            return cls.from_name(wavelet)
        return cls.from_filter_bank(wavelet)

    @classmethod
    def from_filter_bank(
        cls, bank: FilterBank | pywt.Wavelet | Sequence[Sequence[float]]
    ) -> LiftingScheme:
        """Factor a perfectly reconstructing filter bank into lifting steps.

        Parameters
        ----------
        bank : FilterBank, pywt.Wavelet or sequence of four filters
            ``dec_lo``, ``dec_hi``, ``rec_lo``, ``rec_hi``.

        Returns
        -------
        LiftingScheme
            Its transform under ``periodization`` is that of the bank, to
            1e-10 relative to the largest tap or better (checked).

        Raises
        ------
        FactorizationError
            If the bank does not reconstruct, its taps are arrays of another
            library, or no accurate scheme was found.
        WaveletError
            If it is not a filter bank.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> LiftingScheme.from_filter_bank([[1, 1], [-1, 1], [0.5, 0.5], [0.5, -0.5]])
        LiftingScheme(2 steps, scale=(2, -1))
        """
        from liftwave.wavelets.lifting.factorization import scheme_of_bank

        return scheme_of_bank(bank)

    @cached_property
    def is_concrete(self) -> bool:
        """Whether taps and scales are plain numbers rather than arrays of another library."""
        return all(step.is_concrete for step in self.steps) and not any(map(is_foreign, self.scale))

    @cached_property
    def dec_len(self) -> int:
        """Length of the equivalent analysis filters, which bounds sensible levels."""
        return self.origin.dec_len if self.origin else self._expanded_length()

    @cached_property
    def max_tap(self) -> float:
        """Largest absolute tap, 0 without steps."""
        self._require_numbers("max_tap")
        return max((abs(t) for step in self.steps for t in step.taps), default=0.0)

    @cached_property
    def noise_gain(self) -> float:
        r"""Amplification of rounding errors, for white input.

        .. math:: G^2 = \sum_{\text{steps}} r_e^2\, r_o^2

        with the root mean squares of the even and odd samples after the step,
        for white input of power one. The error of a transform is about G
        units in the last place; for orthonormal wavelets of length L the
        schemes of :meth:`from_wavelet` have :math:`G \lesssim \sqrt{L + 1}`.
        """
        self._require_numbers("noise_gain")
        return noise_gain(self.steps)

    @cached_property
    def polyphase(self) -> Polyphase:
        """The matrix of the transform under periodization, without rounding."""
        self._require_numbers("polyphase")
        even, odd = reduce(Polyphase.after, self.steps, IDENTITY)
        return Polyphase(
            even.times(self.scale[0]).shifted(-self.shift[0]),
            odd.times(self.scale[1]).shifted(-self.shift[1]),
        )

    def inverse(self) -> LiftingScheme:
        """The scheme that puts the signal together again.

        Returns
        -------
        LiftingScheme
            Applied to a signal that holds approximations at even and details
            at odd positions, it gives the even and odd samples (under
            periodization; without shifts, under every boundary mode).

        Raises
        ------
        WaveletError
            For integer schemes: their inverse subtracts what was rounded, and
            so is not a scheme of the same kind.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> print(LiftingScheme.from_name("haar").inverse())
        even[k] += 1*odd[k]
        odd[k]  += -0.5*even[k]
        approx[k] = 0.707107*even[k]
        detail[k] = -1.41421*odd[k]
        """
        if self.integer:
            raise WaveletError(
                f"{self!r} rounds, and its inverse is not a lifting scheme of the same form: "
                "use idwt or waverec with this scheme, which undo it exactly"
            )
        undone = [step.negated() for step in reversed(self.steps)]
        factors = (1.0 / self.scale[0], 1.0 / self.scale[1])
        return self._scaled_first(undone, factors, "inverse of")

    def adjoint(self) -> LiftingScheme:
        """The transpose of the transform under periodization.

        Returns
        -------
        LiftingScheme
            Applied to interleaved bands (approximations at even, details at
            odd positions), it gives the samples of the transpose. For
            orthonormal wavelets it computes the same as :meth:`inverse`.

        Raises
        ------
        WaveletError
            For integer schemes, which are not linear.
        """
        if self.integer:
            raise WaveletError(
                f"{self!r} rounds, is therefore not linear, and has no adjoint: "
                "take the adjoint of the scheme it was made from"
            )
        transposed = [step.adjoint() for step in reversed(self.steps)]
        return self._scaled_first(transposed, self.scale, "adjoint of")

    def to_filter_bank(self) -> FilterBank:
        """The four filters of the same transform.

        Returns
        -------
        FilterBank
            With PyWavelets' alignment under ``periodization``, of length
            :attr:`dec_len` or, where that is too short, of the shortest even
            length. Rounding of integer schemes is left out.

        Raises
        ------
        WaveletError
            If taps or scales are arrays of another library.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> bank = LiftingScheme.from_name("cdf5.3").to_filter_bank()
        >>> [round(8 * 0.5**0.5 * tap, 9) for tap in bank.dec_lo]
        [0.0, -1.0, 2.0, 6.0, 2.0, -1.0]
        """
        self._require_numbers("to_filter_bank")
        parts = self._responses()
        length = max(self.dec_len, shortest_length(parts))
        dec_lo, dec_hi = (analysis_filter(r, length) for r in parts[:2])
        rec_lo, rec_hi = (synthesis_filter(r, length) for r in parts[2:])
        return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, name=self.name)

    def to_integer(self) -> LiftingScheme:
        r"""The integer-to-integer transform made from this scheme.

        Returns
        -------
        LiftingScheme
            With ``integer=True``: every increment is rounded,
            :math:`\lfloor P + \tfrac12 \rfloor`, which stays exactly
            invertible. The scales cannot be kept and are dropped, so that the
            bands are those of this scheme divided by its scales, up to
            rounding: ``cdf5.3`` becomes JPEG 2000's reversible transform.
            Orthonormal wavelets longer than Haar are written anew with three
            shears for each rotation, which needs no scales: their bands are
            the real ones up to rounding.

        Raises
        ------
        WaveletError
            If taps or scales are arrays of another library.

        Notes
        -----
        Samples of int8 and uint8 give coefficients of at least int16, those of
        int16 and uint16 at least int32, those of int32, uint32 and int64
        int64; a wider dtype is taken where the scheme, the boundary mode and
        the number of levels could exceed the narrower one. int64 is the
        widest: what exceeds it is kept modulo :math:`2^{64}` with an
        ``IntegerRangeWarning``, and is still undone exactly.

        References
        ----------
        Calderbank, Daubechies, Sweldens & Yeo, *Wavelet transforms that map
        integers to integers*, Appl. Comput. Harmon. Anal. 5, 1998.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> LiftingScheme.from_name("cdf5.3").to_integer()
        LiftingScheme('cdf5.3', 2 steps, integer)
        """
        from liftwave.wavelets.lifting.factorization import unscaled

        self._require_numbers("to_integer")
        return self if self.integer else unscaled(self)

    @staticmethod
    def fixed_point(step: LiftingStep) -> tuple[tuple[int, ...], int]:
        r"""A step's taps in the integer transform: ``(numerators, bits)``.

        The increment is ``(sum_j numerators[j] * source + 2**(bits - 1)) >> bits``
        with ``bits >= 1``. Taps that are multiples of :math:`2^{-14}` are
        exact, others are rounded to multiples of :math:`2^{-16}`.

        Raises
        ------
        WaveletError
            If the taps are an array of another library.
        """
        return fixed_point(step)

    def _scaled_first(
        self, steps: Iterable[LiftingStep], factors: tuple[Any, Any], label: str
    ) -> LiftingScheme:
        """The scheme that unshifts, multiplies by ``factors``, then takes ``steps``.

        Moving the factors behind the steps multiplies each step's taps by
        factor(source) / factor(target); moving the shifts changes the offsets.
        """
        ahead = self.shift[0] - self.shift[1]
        moved = []
        for step in steps:
            target = step.target_parity
            ratio = factors[1 - target] / factors[target]
            moved.append(step.scaled(ratio).moved(ahead if target else -ahead))
        return LiftingScheme(
            tuple(moved),
            factors,
            name=f"{label} {self.name}" if self.name else "",
            shift=(-self.shift[0], -self.shift[1]),
        )

    def _responses(self) -> tuple[Laurent, ...]:
        determinant = ONE.shifted(-sum(self.shift)) * (self.scale[0] * self.scale[1])
        return responses(self.polyphase, determinant)

    def _expanded_length(self) -> int:
        if self.is_concrete:
            return shortest_length(self._responses())
        # Ones instead of unknown taps: their sums cannot cancel, so that the
        # length is the one that taps in general position have.
        steps = [LiftingStep(s.kind, [1.0] * s.length, s.offset) for s in self.steps]
        return LiftingScheme(tuple(steps), shift=self.shift).dec_len

    def _require_numbers(self, what: str) -> None:
        if not self.is_concrete:
            raise WaveletError(
                f"{self!r} holds array taps or scales: {what} is not computed, since that would "
                "copy them from their device; build a LiftingScheme of plain numbers for it"
            )

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        scale = tuple(id(s) if is_foreign(s) else s for s in self.scale)
        return tuple(map(hash, self.steps)), scale, self.shift, self.integer

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LiftingScheme):
            return NotImplemented
        if self is other:
            return True
        same_scale = all(
            a is b or (not is_foreign(a) and not is_foreign(b) and a == b)
            for a, b in zip(self.scale, other.scale, strict=True)
        )
        mine, theirs = ((s.steps, s.shift, s.integer) for s in (self, other))
        return same_scale and mine == theirs

    def __hash__(self) -> int:
        return hash(self._key)

    def __getstate__(self) -> dict[str, Any]:
        # What is cached must not travel: ids of arrays differ in a copy.
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __repr__(self) -> str:
        count = len(self.steps)
        parts = [repr(self.name)] if self.name else []
        parts.append(f"{count} step" if count == 1 else f"{count} steps")
        if any(is_foreign(s) or s != 1.0 for s in self.scale):
            parts.append("scale=({}, {})".format(*map(_short, self.scale)))
        if self.shift != (0, 0):
            parts.append(f"shift={self.shift}")
        if self.integer:
            parts.append("integer")
        return f"LiftingScheme({', '.join(parts)})"

    def __str__(self) -> str:
        lines = [str(step) for step in self.steps]
        bands = zip(("approx", "detail"), ("even", "odd"), self.scale, self.shift, strict=True)
        for band, channel, scale, shift in bands:
            index = f"k{-shift:+d}" if shift else "k"
            lines.append(f"{band}[k] = {_short(scale, 6)}*{channel}[{index}]")
        return "\n".join(lines)


def _check_integer(scheme: LiftingScheme) -> None:
    scheme._require_numbers("an integer transform")
    if any(abs(s) != 1.0 for s in scheme.scale):
        raise WaveletError(
            f"an integer scheme cannot scale its bands, but scale is {scheme.scale}: "
            "use (1, 1), or build the scheme without integer=True and call to_integer()"
        )


def _short(value: Any, digits: int = 5) -> str:
    if is_foreign(value):
        return f"<{library(value)} array>"
    return f"{value:.{digits}g}"
