"""Prices with the day and the place that they are from; what nobody has written down has none."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ml_a2.errors import UserError

# What each name is the price of. Training and processing have a price for each instance type.
UNITS = {
    "training": "hour",
    "processing": "hour",
    "training-volume": "GB-month",
    "processing-volume": "GB-month",
    "transition": "transition",
    "trace": "trace",
    "log-ingestion": "GB",
    "log-storage": "GB-month",
    "object-storage": "GB-month",
    "alarm": "month",
    "dashboard": "month",
    "key": "month",
}
JOB_KINDS = ("training", "processing")
COMMAND_LINE = "the command line"


@dataclass(frozen=True)
class Price:
    """What one unit of something costs in USD; a price from the command line has no day."""

    name: str
    usd: float
    source: str
    as_of: dt.date | None = None
    agrees: str | None = None

    @property
    def unit(self) -> str:
        """Return what the price is for one of."""
        return UNITS[self.name.partition(":")[0]]


class PriceTable:
    """The prices of one region."""

    def __init__(self, prices: Iterable[Price]) -> None:
        """Take the prices; of two for the same the later one counts."""
        self._prices = {price.name: price for price in prices}

    def find(self, name: str) -> Price | None:
        """Return the price of something, None when it is not known."""
        return self._prices.get(name)


def load_prices(region: str, file: Path | None = None, given: Mapping[str, float] | None = None) -> PriceTable:
    """Read the prices of a region: the package's own, over them a file's, over those the given ones.

    Args:
        region: the region.
        file: a table of the same form.
        given: USD by the name of a price; the name of an instance type stands for both kinds of job.

    Raises:
        UserError: the file cannot be read, or names what has no price here.
    """
    packaged = files("ml_a2.costs").joinpath("prices.toml").read_text(encoding="utf-8")
    prices = _parse(packaged, "prices.toml")
    if file:
        prices += _parse(_read(file), str(file))
    chosen = [price for of, price in prices if of == region]
    names = ((name, usd) for key, usd in (given or {}).items() for name in _names(key))
    return PriceTable([*chosen, *(Price(name, usd, COMMAND_LINE) for name, usd in names)])


def check_name(name: str) -> str:
    """Refuse a name that is the price of nothing.

    Raises:
        ValueError: says which names there are.
    """
    kind, separator, instance_type = name.partition(":")
    if kind not in UNITS or (kind in JOB_KINDS) != bool(separator) or (separator and not _is_instance(instance_type)):
        known = ", ".join(f"{key}:ml.TYPE" if key in JOB_KINDS else key for key in UNITS)
        raise ValueError(f"{name!r} is the price of nothing here; there are {known}")
    return name


def check_usd(usd: float) -> float:
    """Refuse what is no amount of money.

    Raises:
        ValueError: says so.
    """
    if not math.isfinite(usd) or usd < 0:
        raise ValueError(f"{usd} is no price; USD of 0 or more are")
    return usd


class _List(BaseModel):
    """One table of a file: prices that have region, day and source in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    as_of: dt.date
    source: Annotated[str, Field(min_length=1)]
    agrees: str | None = None
    usd: dict[Annotated[str, AfterValidator(check_name)], Annotated[float, AfterValidator(check_usd)]]


class _File(BaseModel):
    """A file of prices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prices: tuple[_List, ...]


def _names(key: str) -> list[str]:
    if _is_instance(key):
        return [f"{kind}:{key}" for kind in JOB_KINDS]
    try:
        return [check_name(key)]
    except ValueError as error:
        raise UserError(f"--price {error}") from error


def _is_instance(name: str) -> bool:
    return name.startswith("ml.") and name.count(".") == 2


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"price file {path} cannot be read: {error}; name an existing file of UTF-8 text") from error


def _parse(text: str, where: str) -> list[tuple[str, Price]]:
    try:
        tables = _File.model_validate(tomllib.loads(text)).prices
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"price file {where} cannot be read as TOML: {error}") from error
    except ValidationError as error:
        raise UserError("\n".join(_explain(where, detail) for detail in error.errors())) from error
    return [
        (table.region, Price(name, usd, table.source, table.as_of, table.agrees))
        for table in tables
        for name, usd in table.usd.items()
    ]


def _explain(where: str, detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    reason = detail["msg"].removeprefix("Value error, ")
    return f"price file {where}: {key}: {reason[:1].lower()}{reason[1:]}; ml_a2/costs/prices.toml shows the form"
