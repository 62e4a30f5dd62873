"""What XGBoost or the image said when it refused: shortened to the words, with the hyperparameter that is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ml_a2.finding import Finding
from ml_a2.local.hardware import WHERE

PREFIX = "XGB train call failed with exception:\n"
# `[12:00:00] /src/tree/split_evaluator.h:51: Check failed: a <= b (4 vs. 3) : words`
PLACE = re.compile(r"^\s*\[[\d:]+\] \S+:\d+: ")
CHECK = re.compile(r"^Check failed: .*?( \([^()]* vs\. [^()]*\))?\s*(?<!:):(?!:) ?(?P<words>.*)$", re.DOTALL)
PARAMETER = re.compile(r"(?:for Parameter|Out of range value for|Invalid Parameter format for) (\w+)")
LONGEST = 300
# XGBoost's own names of hyperparameters that have others here.
OTHER_NAMES = {
    "learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha",
}  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """A part of XGBoost's words, the hyperparameter that it is about, and what to do."""

    words: str
    hyperparameter: str
    remedy: str


REASONS = (
    Reason(
        "monotone constraint",
        "monotone_constraints",
        "give at most one number for each feature, in their order; the label is none of them",
    ),
    Reason(
        "Constrained features are not a subset",
        "interaction_constraints",
        "leave it out: the image knows no names of features, and refuses every list of them",
    ),
    Reason("base_score", "base_score", "choose one that the objective allows, or leave it out"),
    Reason("No more tree left for updating", "process_type", "leave it out: the image has no model to update"),
    Reason(
        "can not be used to modify existing trees", "process_type", "leave it out: the image has no model to update"
    ),
    Reason("can not be used to create new trees", "updater", "begin with one that grows trees, or leave it out"),
    Reason("Unknown tree updater", "updater", "leave it out: this version of XGBoost has no such updater"),
    Reason("Unknown objective function", "objective", "choose another objective"),
    Reason("labels_lower_bound_", "objective", "choose another objective: a channel has no bounds of its labels"),
    Reason("unlimited depth", "max_depth", "choose a max_depth of at least 1, or tree_method=hist"),
    Reason("radient", "sampling_method", "leave it out, or choose tree_method=gpu_hist on an instance with a GPU"),
    Reason("tweedie-nloglik", "eval_metric", "leave it out: it is the metric that reg:tweedie has by itself"),
    Reason("MultiClassEvaluation", "eval_metric", "choose a metric of the objective, or leave it out"),
    Reason("label and prediction size not match", "eval_metric", "choose a metric of the objective, or leave it out"),
    Reason("label size predict size not match", "eval_metric", "choose a metric of the objective, or leave it out"),
    Reason("preds.Size()", "eval_metric", "choose a metric of the objective, or leave it out"),
    Reason("auc <= local_area", "eval_metric", "leave out aucpr: XGBoost 1.7 has it of labels from 0 to 1 alone"),
    Reason("Unknown metric function", "eval_metric", "write it as the table of hyperparameters does"),
    Reason("No metric named", "early_stopping_rounds", "let the last eval_metric be one whose name is printed"),
    Reason("Invalid shape of labels", "num_class", "leave it out: it belongs to the multi-class objectives"),
    Reason("label must be", "objective", "choose an objective for such labels, or mend the labels"),
    Reason("abel", "objective", "choose an objective for such labels, or mend the labels"),
)


def refusal(report: str, hyperparameters: Mapping[str, str]) -> Finding:
    """Return what a training was refused for.

    Args:
        report: what the image wrote into its failure file.
        hyperparameters: those that were tried.
    """
    message = message_of(report)
    words = essence(message)
    if "bad_alloc" in message or "MemoryError" in report:  # this machine's memory is not the instance's
        problem = f"two rounds on a few hundred rows need more memory than they are given here: {words}"
        return Finding("untried", WHERE, problem, "choose fewer or smaller trees")
    name, remedy = _meant(message, hyperparameters)
    about = f"{name}={hyperparameters[name]}: " if name in hyperparameters else ""
    return Finding("error", WHERE, f"XGBoost refuses to train with {about or 'them: '}{words}", remedy)


def message_of(report: str) -> str:
    """Return the error's own message, without the traceback before it."""
    if PREFIX in report:
        return report.rpartition(PREFIX)[2].strip()
    lines = report.rstrip().splitlines()
    last = next((n for n in range(len(lines) - 1, -1, -1) if re.match(r"[\w.]+(Error|Exception): ", lines[n])), None)
    if last is None:
        return lines[-1] if lines else ""
    return "\n".join(lines[last:]).partition(": ")[2].split("\n\n")[0]


def essence(message: str) -> str:
    """Return a message without the place in XGBoost's source, the condition where words follow it, and the stack."""
    words = PLACE.sub("", message.partition("Stack trace")[0].strip())
    if match := CHECK.match(words):
        said = match["words"].strip()
        words = f"{said}{match[1] or ''}" if said else words.removeprefix("Check failed: ").rstrip(" :")
    words = " ".join(words.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}..."


def _meant(message: str, hyperparameters: Mapping[str, str]) -> tuple[str, str]:
    if match := PARAMETER.search(message):
        name = OTHER_NAMES.get(match[1], match[1])
        given = next((each for each in (name, match[1]) if each in hyperparameters), name)
        return given, "choose a value within the bounds that XGBoost names, or leave it out"
    for reason in REASONS:
        if reason.words in message and reason.hyperparameter in hyperparameters:
            return reason.hyperparameter, reason.remedy
    return "", "leave out what you have set, one after the other, until it trains"
