"""The figures that belong to a run: whatever its curves can show."""

from __future__ import annotations

from ml_a2.learning_curve import learning_curve, stops_early
from ml_a2.report.classes import class_namer
from ml_a2.report.error_figures import group_ndcg, predictions, residuals
from ml_a2.report.figure import Figure
from ml_a2.report.learning_figure import learning
from ml_a2.report.metrics import Metric, kind_of
from ml_a2.report.record import Record, at, hyperparameters_of
from ml_a2.report.score_figures import calibration, confidence_histogram, score_histogram
from ml_a2.report.threshold_figures import precision_recall, prevalence_of, roc


def read_figures(record: Record, metrics: list[Metric]) -> list[Figure]:
    """Return the figures of a run, none for a curve that the kind or the data do not have."""
    curves, kind = record.curves, kind_of(record)
    values = {metric.name: metric.value for metric in metrics}
    name = class_namer(record)
    scores, given = at(curves, "score_histogram"), hyperparameters_of(record)
    figures = (
        learning(learning_curve(record.rounds, given), keeps_best=stops_early(given)),
        roc(at(curves, "roc"), values, name(1)),
        precision_recall(at(curves, "precision_recall"), values, name(1), prevalence_of(curves)),
        predictions(at(curves, "predictions")),
        residuals(at(curves, "residuals")),
        group_ndcg(at(curves, "group_ndcg")),
        calibration(at(curves, "calibration"), kind),
        score_histogram(scores, (name(0), name(1))) if kind == "binary" else confidence_histogram(scores),
    )
    return [figure for figure in figures if figure]
