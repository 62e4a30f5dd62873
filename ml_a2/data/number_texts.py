"""Numbers of 32 bits as decimals of which every reader makes that number: XGBoost's, and those that round correctly.

XGBoost's reader adds what stands before the point and what stands behind it, then scales by the exponent, each step
rounded to 32 bits; it keeps 19 digits behind the point, and clips exponents at 38. Decimals are chosen so that this
makes no difference: as short as can be, without an exponent wherever that is possible.

Source: ParseFloat in dmlc-core's strtonum.h.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Between these Arrow writes 64-bit numbers of up to ten digits without an exponent.
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-4, 1e9
# From here on 19 digits behind the point are enough; below 2^63 all digits of a whole number are read.
SMALLEST_FIXED, LARGEST_WHOLE = 1e-11, 2.0**63
DECIMALS = 19
MOST_EXPONENT = 37
SMALLEST_SCALED = 1e-12


def number_texts(values: NDArray[Any]) -> pa.Array:
    """Return an array that Arrow writes as such decimals: (n,) finite numbers within 32 bits, NaN for missing ones."""
    singles = values.astype(np.float32)
    sizes = np.abs(singles).astype(np.float64)
    decimals, _ = _decimals(sizes)
    plain = pa.array(np.copysign(decimals, singles), from_pandas=True)
    special = (sizes != 0) & ~((sizes >= SMALLEST_PLAIN) & (sizes < LARGEST_PLAIN)) & ~np.isnan(sizes)
    if not special.any():
        return plain
    distinct, places = np.unique(singles[special], return_inverse=True)
    texts = _special_texts(distinct).take(pa.array(places))
    return pc.replace_with_mask(pc.cast(plain, pa.string()), pa.array(special), texts)


def _powers(least: float) -> Floats:
    """Return for each binary exponent the power of ten by which a number is scaled and rounded to get its digits.

    Args:
        least: how many units of the scaled number there must be at least from one 32-bit number to the next.
    """
    ulps = 2.0 ** (np.maximum(np.arange(256), 1) - 127.0 - 23)
    # A float's own power may be off; that of an integer is rounded correctly.
    exponents = np.clip(np.ceil(np.log10(least / ulps)), 0, 40).astype(int)
    return np.array([float(10**exponent) for exponent in exponents.tolist()])


# A decimal of the second is off by a fifth of the distance at the most, too little to make a difference to anybody.
SHORT, EXACT = _powers(0.025), _powers(2.5)


def _decimals(sizes: Floats) -> tuple[Floats, Floats]:
    """Return decimals of up to ten digits, as 64-bit numbers, and their powers of ten."""
    singles = sizes.astype(np.float32)
    exponents = singles.view(np.uint32) >> 23
    short, power = SHORT[exponents], EXACT[exponents]
    digits = np.rint(sizes * short)
    fits = (_read(digits, short) == singles) & ((digits / short).astype(np.float32) == singles)
    power[fits] = short[fits]
    return np.rint(sizes * power) / power, power


def _read(digits: Floats, power: Floats) -> Singles:
    """Return what XGBoost reads of digits with a decimal point."""
    whole = np.floor(digits / power)
    fraction: Singles = ((digits - whole * power) / power).astype(np.float32)
    return whole.astype(np.float32) + fraction


def _special_texts(singles: Singles) -> pa.Array:
    """Return texts of numbers that Arrow would write with an exponent."""
    sizes = np.abs(singles)
    fixed = _is_fixed(sizes)
    texts = np.full(len(singles), "", dtype=object)
    texts[fixed] = _fixed_texts(sizes[fixed])[0]
    texts[~fixed] = _scaled_texts(sizes[~fixed])
    signs = np.where(np.signbit(singles), "-", "")
    return pa.array([sign + text for sign, text in zip(signs.tolist(), texts.tolist(), strict=True)], pa.string())


def _is_fixed(sizes: Singles) -> NDArray[np.bool_]:
    return (sizes >= SMALLEST_FIXED) & (sizes < LARGEST_WHOLE)


def _fixed_texts(sizes: Singles) -> tuple[list[str], Floats]:
    """Return decimals without an exponent, and their values."""
    values = sizes.astype(np.float64)
    decimals, power = _decimals(values)
    decimals = np.where(values < LARGEST_PLAIN, decimals, values)
    return list(map(_fixed_text, decimals.tolist(), power.tolist())), decimals


def _fixed_text(decimal: float, power: float) -> str:
    if decimal >= LARGEST_PLAIN:
        return str(int(decimal))
    return repr(decimal) if decimal >= SMALLEST_PLAIN else f"{decimal:.{len(str(int(power))) - 1}f}".rstrip("0")


def _scales() -> list[np.float32]:
    """Return the powers of ten, the exponent's, as XGBoost multiplies them."""
    found = []
    for exponent in range(MOST_EXPONENT + 1):
        scale = np.float32(1)
        for factor in [1e8] * (exponent // 8) + [10.0] * (exponent % 8):
            scale *= np.float32(factor)
        found.append(scale)
    return found


SCALES = _scales()


def _scaled_texts(sizes: Singles) -> NDArray[np.object_]:
    """Try decimals with an exponent until one is read rightly by everybody."""
    texts = np.array([_short_text(size) for size in sizes], dtype=object)
    for step in (0, 1, -1, 2, -2, 3, -3, 4, -4):
        for exponent in range(1, MOST_EXPONENT + 1):
            waiting = np.flatnonzero(texts == "")
            if len(waiting):
                _try(sizes, texts, waiting, exponent, step)
    # Seen of none any more, in tens of millions; of such a decimal XGBoost would make the next number.
    for index in np.flatnonzero(texts == ""):
        texts[index] = f"{sizes[index]:.9g}"
    return texts


def _short_text(size: np.float32) -> str:
    """Return the shortest text with an exponent, as 2e+19, if XGBoost reads it rightly, and nothing otherwise."""
    text = np.format_float_scientific(size, trim="-", exp_digits=2)
    number, _, exponent = text.partition("e")
    if abs(int(exponent)) > MOST_EXPONENT:
        return ""
    value, scale = _read_text(number), SCALES[abs(int(exponent))]
    with np.errstate(over="ignore"):
        return text if (value / scale if int(exponent) < 0 else value * scale) == size else ""


def _try(sizes: Singles, texts: NDArray[np.object_], waiting: NDArray[np.int64], exponent: int, step: int) -> None:
    """Fill in the texts of the numbers for which an exponent serves.

    XGBoost divides or multiplies by a power of ten that is a little off: it needs another number before the exponent
    than those who round correctly. One between the two serves where XGBoost still rounds it to its own.
    """
    wanted, scale, power = sizes[waiting].astype(np.float64), SCALES[exponent], float(10**exponent)
    is_small = wanted < 1
    needed = np.where(is_small, wanted * float(scale), wanted / float(scale)).astype(np.float32)
    needed += np.float32(step) * np.spacing(needed)
    with np.errstate(over="ignore"):
        read = np.where(is_small, needed / scale, needed * scale)
    exact = np.where(is_small, wanted * power, wanted / power)
    # With digits on both sides of the point XGBoost rounds twice.
    half = np.where((exact < 1) | (exact >= LARGEST_PLAIN), 0.45, 0.2) * np.spacing(needed)
    chosen = np.clip(exact, needed - half, needed + half)
    possible = (read == wanted) & (chosen >= SMALLEST_SCALED) & (chosen < LARGEST_WHOLE)
    for index in np.flatnonzero(possible):
        number = _rounded(float(chosen[index]))
        text = f"{number}e{'-' if is_small[index] else '+'}{exponent:02}"
        if _read_text(number) == needed[index] and np.float32(float(text)) == wanted[index]:
            texts[waiting[index]] = text


def _rounded(number: float) -> str:
    """Write twelve digits of a number, or fewer, without an exponent."""
    digits = Decimal(f"{number:.11e}")
    return str(round(digits)) if number >= LARGEST_PLAIN else f"{round(digits, DECIMALS):f}".rstrip("0").rstrip(".")


def _read_text(number: str) -> np.float32:
    whole, _, behind = number.partition(".")
    return np.float32(int(whole)) + np.float32(int(behind or "0") / 10 ** len(behind))
