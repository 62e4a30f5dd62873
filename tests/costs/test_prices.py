"""Prices: dated, sourced, of one region; what nobody wrote down has none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ml_a2.costs.prices import load_prices
from ml_a2.errors import UserError

OWN = """
[[prices]]
region = "eu-central-1"
as_of = 2026-11-01
source = "our contract"
[prices.usd]
"training:ml.m5.xlarge" = 0.276
training-volume = 0.167
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["training", "processing"])
def test_the_defaults_of_the_settings_have_a_price_with_day_and_source(kind: str) -> None:
    """In us-east-1, for one hour."""
    price = load_prices("us-east-1").find(f"{kind}:ml.m5.xlarge")
    assert price is not None
    assert (price.usd, price.unit, price.as_of) == (0.23, "hour", dt.date(2026, 9, 24))
    assert "AmazonSageMaker" in price.source


def test_a_thousand_transitions_cost_what_step_functions_says() -> None:
    """0.025 USD."""
    price = load_prices("us-east-1").find("transition")
    assert price is not None
    assert price.usd * 1000 == pytest.approx(0.025)


@pytest.mark.parametrize(("region", "name"), [("us-east-1", "training:ml.p5.48xlarge"), ("eu-west-3", "transition")])
def test_what_is_not_in_the_table_has_no_price(region: str, name: str) -> None:
    """An instance type, or a whole region."""
    assert load_prices(region).find(name) is None


def test_a_file_lies_over_the_table_and_the_command_line_over_both(tmp_path: Path) -> None:
    """Only where they name something, and only for their region."""
    file = _file(tmp_path, OWN)
    prices = load_prices("eu-central-1", file, {"ml.m5.xlarge": 0.3, "transition": 0.00003})
    found = {name: prices.find(name) for name in ("training:ml.m5.xlarge", "training-volume", "transition")}
    assert {name: price and price.usd for name, price in found.items()} == {
        "training:ml.m5.xlarge": 0.3,
        "training-volume": 0.167,
        "transition": 0.00003,
    }
    assert load_prices("us-east-1", file).find("training-volume") is None


def test_the_name_of_an_instance_type_stands_for_both_kinds_of_job() -> None:
    """So that one price is enough; it has no day."""
    prices = load_prices("us-east-1", given={"ml.new.large": 0.5})
    for kind in ("training", "processing"):
        price = prices.find(f"{kind}:ml.new.large")
        assert price is not None
        assert (price.usd, price.as_of, price.source) == (0.5, None, "the command line")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("training-volume", "lunch"), "'lunch' is the price of nothing here; there are training:ml.TYPE"),
        (('"training:ml.m5.xlarge"', "training"), "'training' is the price of nothing here"),
        (('"training:ml.m5.xlarge"', '"training:m5.xlarge"'), "'training:m5.xlarge' is the price of nothing"),
        (("0.167", "-1"), r"usd.training-volume: -1.0 is no price; USD of 0 or more are"),
        (('source = "our contract"\n', ""), r"prices.0.source: field required"),
        (("2026-11-01", '"yesterday"'), r"prices.0.as_of: input should be a valid date"),
        (("eu-central-1", "Frankfurt"), r"prices.0.region: string should match pattern"),
        (("[prices.usd]", "[prices.usd"), "cannot be read as TOML"),
    ],
)
def test_fails_on_a_file_that_is_no_table(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """Naming file and key."""
    file = _file(tmp_path, OWN.replace(*change))
    with pytest.raises(UserError, match=message) as error:
        load_prices("eu-central-1", file)
    assert str(error.value).startswith(f"price file {file}")


def test_fails_without_the_file(tmp_path: Path) -> None:
    """Naming it."""
    with pytest.raises(UserError, match=r"nowhere\.toml cannot be read: .*; name an existing file"):
        load_prices("us-east-1", tmp_path / "nowhere.toml")


def test_fails_on_a_price_of_nothing_on_the_command_line() -> None:
    """The names that there are stand in the error."""
    with pytest.raises(UserError, match="'lunch' is the price of nothing here"):
        load_prices("us-east-1", given={"lunch": 12.0})
