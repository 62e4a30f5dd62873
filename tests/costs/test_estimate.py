"""The bill: quantities times prices, worked out by hand."""

from __future__ import annotations

import pytest

from ml_a2.costs.estimate import Bill, Costs, as_json
from ml_a2.costs.jobs import Job, StandingParts
from ml_a2.costs.prices import Price, PriceTable
from ml_a2.costs.route import Poll, Route

PRICES = {
    "transition": 0.001, "training:ml.a.large": 3.6, "processing:ml.b.large": 7.2, "training-volume": 0.73,
    "log-ingestion": 1.0, "trace": 0.5, "alarm": 0.1, "dashboard": 3.0, "key": 1.0, "object-storage": 0.02,
    "log-storage": 0.03,
}  # fmt: skip
ROUTE = Route(("a", "b", "c", "d"), {"training": Poll("b", 30, 3), "processing": Poll("c", 10, 2)})
PARTS = StandingParts(alarms=6, dashboards=1, keys=1, log_retention_days=60)


def _costs(*, spot: bool = False, prices: dict[str, float] | None = None) -> Costs:
    jobs = {
        "training": Job("training", "ml.a.large", 2, 50, 600, 1200 if spot else 600, spot=spot),
        "processing": Job("processing", "ml.b.large", 1, 30, 100, 100, spot=False),
    }
    table = PriceTable(Price(name, usd, "a test") for name, usd in (PRICES if prices is None else prices).items())
    return Costs(ROUTE, jobs, PARTS, table)


def _amounts(bill: Bill) -> dict[str, float | None]:
    return {line.what: line.usd for line in bill.lines}


def test_an_execution_costs_states_seconds_volumes_log_and_trace() -> None:
    """100 s of training on two hosts are 4 polls, 25 s of processing are 3."""
    amounts = _amounts(_costs().execution({"training": 100, "processing": 25}))
    assert amounts["state transitions"] == pytest.approx((4 + 3 * 3 + 2 * 2) * 0.001)
    assert amounts["training instances"] == pytest.approx(2 * 100 * 0.001)
    assert amounts["training volumes"] == pytest.approx(50 * 2 * 100 / 3600 / 730 * 0.73)
    assert amounts["processing instances"] == pytest.approx(25 * 0.002)
    assert amounts["execution log"] == pytest.approx((66_000 + 4 * 23_000 + 3 * 42_000) / 1e9)
    assert amounts["trace"] == 0.5


def test_what_has_no_price_is_left_out_and_named() -> None:
    """The sum is of the rest."""
    bill = _costs().execution({"training": 100, "processing": 25})
    assert [line.name for line in bill.without] == ["processing-volume"]
    assert bill.usd == pytest.approx(sum(usd for usd in _amounts(bill).values() if usd is not None))
    nothing = _costs(prices={}).execution({"training": 100, "processing": 25})
    assert (nothing.usd, len(nothing.without)) == (0, len(nothing.lines))


def test_the_most_is_with_both_jobs_at_their_limits() -> None:
    """With spot, polled for as long as instances are waited for, billed for as long as the job may run."""
    for spot, polls in ((False, 20), (True, 40)):
        most = _costs(spot=spot).at_most()
        assert _amounts(most)["state transitions"] == pytest.approx((4 + 3 * (polls - 1) + 2 * 9) * 0.001)
        assert _amounts(most)["training instances"] == pytest.approx(2 * 600 * 0.001)


def test_spot_instances_may_cost_a_tenth() -> None:
    """Of training alone; everything else costs the same."""
    lines = {line.what: line for line in _costs(spot=True).execution({"training": 100, "processing": 25}).lines}
    assert lines["training instances"].least_usd == pytest.approx(0.02)
    assert [what for what, line in lines.items() if line.least_usd != line.usd] == ["training instances"]


@pytest.mark.parametrize("kind", ["training", "processing"])
def test_a_minute_more_costs_what_a_minute_of_it_says(kind: str) -> None:
    """So that one can reckon on from there."""
    costs, seconds = _costs(), {"training": 300.0, "processing": 300.0}
    before = costs.execution(seconds).usd
    after = costs.execution({**seconds, kind: seconds[kind] + 60}).usd
    assert after - before == pytest.approx(costs.minute(kind).usd)


def test_a_month_has_the_stack_the_objects_and_the_executions() -> None:
    """Logs stay for their retention: two months of them lie there."""
    costs, seconds = _costs(), {"training": 100.0, "processing": 25.0}
    bill = costs.execution(seconds)
    month = costs.month(10, bill, costs.polls(seconds), 100)
    amounts = _amounts(month)
    assert (amounts["alarms"], amounts["dashboard"], amounts["encryption key"]) == (pytest.approx(0.6), 3.0, 1.0)
    assert amounts["objects in the buckets"] == pytest.approx(2)
    kept = 10 * (66_000 + 4 * 23_000 + 3 * 42_000) / 1e9 * 2
    assert amounts["execution logs kept"] == pytest.approx(kept * 0.03)
    assert month.usd == pytest.approx(0.6 + 3 + 1 + 2 + kept * 0.03 + 10 * bill.usd)


def test_a_month_without_executions_has_the_stack_alone() -> None:
    """What it costs to have it."""
    assert _costs().month(0, None, {}, 0).usd == pytest.approx(0.6 + 3 + 1)


def test_json_tells_what_is_not_known() -> None:
    """As null, and by name."""
    document = as_json(_costs().execution({"training": 100, "processing": 25}))
    assert document["price_not_known"] == ["processing-volume"]
    unknown = next(line for line in document["lines"] if line["price"] == "processing-volume")
    assert (unknown["usd"], unknown["unit"]) == (None, None)
