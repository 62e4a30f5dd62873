"""How a model became what it is: the metric of the training rows and of the validation rows, round by round."""

from __future__ import annotations

from collections.abc import Sequence

from ml_a2.learning_curve import LearningCurve
from ml_a2.report.drawing import Plot
from ml_a2.report.figure import Figure, Key
from ml_a2.report.formatting import short
from ml_a2.report.inks import Ink

# More points make no other line, and a larger page; of those that the text alternative lists, fewer.
MOST_POINTS, LISTED = 400, 12


def learning(curve: LearningCurve | None, *, keeps_best: bool) -> Figure | None:
    """Return the learning curve.

    Args:
        curve: what the training's log has; None where there is no log, or one round only.
        keeps_best: whether the model is the best round's, not the last one's.
    """
    if curve is None or not (curve.train or curve.validation):
        return None
    plot, legend = Plot("round", curve.metric), []
    best = curve.best
    if best and curve.last:
        values = [value for _, value in (*curve.train, *curve.validation)]
        plot.guide((best[0], min(values)), (best[0], max(values)))
    if curve.train:
        plot.line(_thinned(curve.train, MOST_POINTS), Ink.SECOND, dashed=True)
        legend.append(Key("dashed", "second", "training rows"))
    if curve.validation:
        plot.line(_thinned(curve.validation, MOST_POINTS, best), Ink.FIRST)
        legend.append(Key("line", "first", "validation rows"))
    if best:
        plot.points([best], Ink.FIRST, size=9, alpha=1)
        legend.append(Key("dot", "first", f"best round: {best[0]}"))
    return Figure(
        "learning-curve",
        "Learning curve",
        plot,
        _sentence(curve, keeps_best=keeps_best),
        ("Round", f"{curve.metric}, training rows", f"{curve.metric}, validation rows"),
        _rows(curve),
        legend,
    )


def _sentence(curve: LearningCurve, *, keeps_best: bool) -> str:
    if curve.best is None or curve.last is None:
        number, value = curve.train[-1]
        return f"On the training rows {curve.metric} is {short(value)} in the last round, {number}."
    (best_round, best), (last_round, last) = curve.best, curve.last
    words = f"On the validation rows {curve.metric} is best in round {best_round} with {short(best)}"
    words += f", and {short(last)} in the last, {last_round}." if last_round > best_round else ", the last."
    return words + (" The model is that of the best round." if keeps_best else " The model is that of the last round.")


def _rows(curve: LearningCurve) -> list[tuple[str, str, str]]:
    train, validation = dict(curve.train), dict(curve.validation)
    listed = _thinned(curve.validation or curve.train, LISTED, curve.best)
    return [(f"{number}", short(train.get(number)), short(validation.get(number))) for number, _ in listed]


def _thinned(
    points: Sequence[tuple[int, float]], most: int, kept: tuple[int, float] | None = None
) -> list[tuple[int, float]]:
    """Return points at even distances, the first and the last among them, and one that must be there."""
    if len(points) <= most:
        return list(points)
    chosen = {round(index * (len(points) - 1) / (most - 1)) for index in range(most)}
    return sorted({points[index] for index in chosen} | ({kept} if kept else set()))
