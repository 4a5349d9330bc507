"""Lifting schemes: a wavelet transform as a list of invertible steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import pywt

from liftwave.errors import ArgumentTypeError, WaveletError, WaveletTypeError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting import polyphase
from liftwave.wavelets.lifting.fields import SchemeFields
from liftwave.wavelets.lifting.fixed_point import fixed_point
from liftwave.wavelets.lifting.polyphase import Factors, Polyphase
from liftwave.wavelets.lifting.step import LiftingStep
from liftwave.wavelets.lifting.tables import table_factors
from liftwave.wavelets.names import label, nearest_wavelet, pywt_name


@dataclass(frozen=True, eq=False, repr=False)
class LiftingScheme(SchemeFields):
    r"""A lifting scheme, accepted wherever a wavelet is.

    A signal is split into even and odd samples. Each step changes the even or the
    odd ones. At the end, the even samples give the approximation, the odd ones the
    detail:

    .. math::

        cA_i = \mathtt{scale}_0\, \mathtt{even}_{i - \mathtt{shift}_0}, \qquad
        cD_i = \mathtt{scale}_1\, \mathtt{odd}_{i - \mathtt{shift}_1}

    (Sweldens, *The lifting scheme: a construction of second generation
    wavelets*, SIAM J. Math. Anal. 29, 1998). The transform is critically
    sampled, and invertible for all taps and all lengths.

    Parameters
    ----------
    steps : iterable of LiftingStep
        The steps, in the order of the forward transform.
    scale : (float, float), optional
        Factors of approximation and detail, not zero. 0-d arrays of another
        library are not converted. Default ``(1.0, 1.0)``.
    name : str, optional
        A name for ``repr`` and messages.
    shift : (int, int), optional
        Circular shifts of approximation and detail, which number the
        coefficients as PyWavelets does. They apply under ``periodization``
        only. Other boundary modes number coefficients by the positions of
        their samples. Default ``(0, 0)``.
    integer : bool, optional
        Whether every increment is rounded, so that integers become integers
        (see :meth:`to_integer`). The scales must then be 1 or -1. Default False.
    origin : FilterBank, optional
        The filter bank that was factored into this scheme, if any. It determines
        :attr:`dec_len`. If the scheme is factored again, it also provides the
        digits of the smallest taps of long filters, which the steps lose.

    Raises
    ------
    TypeError
        If a step is not a :class:`LiftingStep`, a scale not a number, or a
        shift not an integer.
    ValueError
        If a scale is zero or not finite, or the arguments contradict each
        other (as :class:`WaveletError`).

    Notes
    -----
    Two schemes are equal if they compute the same transform: ``==`` compares
    steps, scales, shifts and rounding, but not ``name`` and ``origin``.

    Examples
    --------
    >>> from liftwave.lifting import LiftingScheme
    >>> print(LiftingScheme.from_name("cdf5.3"))
    odd[k]  += -0.5*even[k] -0.5*even[k+1]
    even[k] += 0.25*odd[k-1] +0.25*odd[k]
    approx[k] = 1.41421*even[k]
    detail[k] = -0.707107*odd[k]
    """

    @classmethod
    def from_name(cls, name: str) -> LiftingScheme:
        """Return the scheme of a wavelet by its name.

        Parameters
        ----------
        name : str
            The name of a discrete wavelet of PyWavelets, or ``"cdf5.3"``
            (``bior2.2``) or ``"cdf9.7"`` (``bior4.4``), the wavelets of JPEG
            2000. Case is ignored.

        Raises
        ------
        FactorizationError
            For ``"dmey"``, whose table does not reconstruct.
        WaveletError
            If the wavelet does not exist.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> LiftingScheme.from_name("bior4.4")
        LiftingScheme('bior4.4', 4 steps, scale=(1.1496, -0.86986))
        """
        if not isinstance(name, str):
            raise WaveletTypeError(f"a wavelet's name must be a string, got {name!r}")
        return _named(name.lower())

    @classmethod
    def from_wavelet(
        cls, wavelet: str | FilterBank | LiftingScheme | pywt.Wavelet
    ) -> LiftingScheme:
        """Return the scheme of a wavelet given in any form.

        Parameters
        ----------
        wavelet : str, pywt.Wavelet, FilterBank or LiftingScheme
            A scheme is returned unchanged.

        Raises
        ------
        FactorizationError
            If the filters have no accurate lifting scheme.
        WaveletError
            If the argument is not a wavelet.
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
            Its transform under ``periodization`` equals that of the bank
            within 1e-10 of the largest tap. The method checks this.

        Raises
        ------
        FactorizationError
            If the bank does not reconstruct, its taps are arrays of another
            library, or no accurate scheme was found.
        WaveletError
            If the argument is not a filter bank.

        Examples
        --------
        >>> from liftwave.lifting import LiftingScheme
        >>> LiftingScheme.from_filter_bank([[1, 1], [-1, 1], [0.5, 0.5], [0.5, -0.5]])
        LiftingScheme(2 steps, scale=(2, -1))
        """
        from liftwave.wavelets.lifting import factorization  # most programs do not need it

        checked = factorization.as_filter_bank(bank)
        return _scheme(factorization.bank_factors(checked), checked.name, checked)

    @cached_property
    def dec_len(self) -> int:
        """Length of the equivalent analysis filters, which limits the useful levels."""
        if self.origin:
            return self.origin.dec_len
        factors = self._factors if self.is_concrete else polyphase.with_unit_taps(self._factors)
        return polyphase.shortest_length(polyphase.responses(factors))

    @cached_property
    def max_tap(self) -> float:
        """Largest absolute tap, 0 without steps."""
        self._require_numbers("max_tap")
        return polyphase.max_tap(self.steps)

    @cached_property
    def noise_gain(self) -> float:
        r"""Amplification of rounding errors, for white input.

        .. math:: G^2 = \sum_{\text{steps}} r_e^2\, r_o^2

        where :math:`r_e` and :math:`r_o` are the root mean squares of the even
        and odd samples after the step, for white input of power one. The error
        of a transform is about G units in the last place. For orthonormal
        wavelets of length L the schemes of :meth:`from_wavelet` have
        :math:`G \lesssim \sqrt{L + 1}`.
        """
        self._require_numbers("noise_gain")
        return polyphase.noise_gain(self.steps)

    @cached_property
    def polyphase(self) -> Polyphase:
        """The matrix of the transform under periodization, without rounding."""
        self._require_numbers("polyphase")
        return polyphase.matrix_of(self._factors)

    def inverse(self) -> LiftingScheme:
        """Return the scheme that computes the inverse transform.

        Returns
        -------
        LiftingScheme
            Its input holds the approximation at even and the detail at odd
            positions. Its bands are the even and odd samples. This holds under
            periodization, and without shifts under every boundary mode.

        Raises
        ------
        WaveletError
            For integer schemes: their inverse subtracts rounded increments,
            so it is not a scheme of the same kind.

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
        return _scheme(polyphase.inverse(self._factors), self._label("inverse of"))

    def adjoint(self) -> LiftingScheme:
        """Return the scheme that computes the transpose under periodization.

        Returns
        -------
        LiftingScheme
            Its input holds the approximation at even and the detail at odd
            positions. Its bands are the even and odd samples of the transpose.
            For orthonormal wavelets it computes the same as :meth:`inverse`.

        Raises
        ------
        WaveletError
            For integer schemes, which are not linear.
        """
        if self.integer:
            raise WaveletError(
                f"{self!r} rounds, so it is not linear and has no adjoint: "
                "use the adjoint of the scheme without integer=True"
            )
        return _scheme(polyphase.adjoint(self._factors), self._label("adjoint of"))

    def to_filter_bank(self) -> FilterBank:
        """Return the four filters of the same transform.

        Returns
        -------
        FilterBank
            With PyWavelets' alignment under ``periodization``. The length is
            :attr:`dec_len`, or the shortest even length that holds the filters
            if that is more. Integer schemes give the filters without rounding.

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
        dec_lo, dec_hi, rec_lo, rec_hi = polyphase.filters(self._factors, self.dec_len)
        return FilterBank(dec_lo, dec_hi, rec_lo, rec_hi, self.name)

    def to_integer(self) -> LiftingScheme:
        r"""Return the integer-to-integer transform made from this scheme.

        Returns
        -------
        LiftingScheme
            With ``integer=True``: every increment is rounded to
            :math:`\lfloor P + \tfrac12 \rfloor`, and the transform stays exactly
            invertible. Integer transforms cannot scale, so the bands are those
            of this scheme divided by its scales, up to rounding: ``cdf5.3``
            becomes JPEG 2000's reversible transform. Orthonormal wavelets
            longer than Haar are factored again, with three shears for each
            rotation. This needs no scales, so their bands equal the real ones
            up to rounding.

        Raises
        ------
        WaveletError
            If taps or scales are arrays of another library, a tap is too large
            for 64 bits, or a shift is not from -10000 to 10000.

        Notes
        -----
        Samples of int8 and uint8 give coefficients of at least int16. Samples
        of int16 and uint16 give at least int32. Samples of int32, uint32 and
        int64 give int64. The dtype is wider if scheme, boundary mode and number
        of levels together could exceed the narrower one. int64 is the widest.
        Coefficients that exceed it wrap around modulo :math:`2^{64}`, with an
        ``IntegerRangeWarning``; the inverse transform is still exact.

        ``dtype=`` or ``out=`` of a transform selects another dtype of the
        coefficients. A bound on their growth times the largest sample must fit
        it, otherwise the transform raises ``DTypeError`` before any work.

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
        self._require_numbers("to_integer")
        if self.integer:
            return self
        self._check_integer_shift()
        bank, factors = self.origin or self.to_filter_bank(), None
        if self.dec_len > 2 and bank.orthogonal:
            from liftwave.wavelets.lifting import factorization  # most programs do not need it

            factors = factorization.unscaled_factors(bank)
        if factors is None:
            return replace(self, scale=(1.0, 1.0), integer=True)
        return replace(_scheme(factors, self.name, bank), integer=True)

    @staticmethod
    def fixed_point(step: LiftingStep) -> tuple[tuple[int, ...], int]:
        r"""Return a step's taps in the integer transform: ``(numerators, bits)``.

        The increment is ``(sum_j numerators[j] * source + 2**(bits - 1)) >> bits``
        with ``bits >= 1``. Taps that are multiples of :math:`2^{-14}` are
        exact. Other taps are rounded to multiples of :math:`2^{-16}`.

        Raises
        ------
        WaveletError
            If the taps are an array of another library.
        """
        if not isinstance(step, LiftingStep):
            raise ArgumentTypeError(f"expected a LiftingStep, got an object of type {type(step)}")
        return fixed_point(step)

    def _label(self, prefix: str) -> str:
        return f"{prefix} {self.name}" if self.name else ""


def _scheme(factors: Factors, name: str = "", origin: FilterBank | None = None) -> LiftingScheme:
    return LiftingScheme(factors.steps, factors.scale, name, factors.shift, origin=origin)


@lru_cache(maxsize=512)
def _named(name: str) -> LiftingScheme:
    full_name = pywt_name(name)
    factors = table_factors(full_name)
    if factors is not None:
        return _scheme(factors, label(name))
    if full_name not in pywt.wavelist(kind="discrete"):
        raise WaveletError(
            f"no discrete wavelet has the name {name!r}: lifting schemes exist for 'cdf5.3', "
            "'cdf9.7' and all of pywt.wavelist(kind='discrete') except 'dmey'."
            + nearest_wavelet(name)
        )
    return LiftingScheme.from_filter_bank(pywt.Wavelet(full_name))
