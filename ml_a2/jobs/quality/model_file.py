"""What is in the place of a model: refused by its name before anything loads it."""

from __future__ import annotations

import re

from . import signatures
from .errors import EvaluationError
from .signatures import HEAD_BYTES, pickled_class, signature

HOW_TO_SAVE = "load it where it was written, and save it with Booster.save_model"
HOW_TO_PACK = ", as `tar czf model.tar.gz xgboost-model` makes one"
WRAPPERS = "xgboost.sklearn."
# Before what XGBoost says stand the time and a place in its source.
PLACE = re.compile(r"^(\[[\d:]+\] )?(\S+:\d+: )?(Check failed: )?")
LONGEST_REASON = 200


def check_model_file(archive: str, name: str, path: str) -> None:
    """Refuse a file that cannot be a model of XGBoost, whose formats are binary, JSON and UBJSON.

    Args:
        archive: where it was, for the message.
        name: what it is called there.
        path: where it lies now.

    Raises:
        EvaluationError: it is something else; says what, and how to get a model that can be read.
    """
    with open(path, "rb") as file:
        problem = _problem(file.read(HEAD_BYTES))
    if problem:
        raise EvaluationError("{}: {!r} {}".format(archive, name, problem))


def unreadable(archive: str, name: str, reason: str) -> EvaluationError:
    """Return the error for a file that XGBoost did not take, with the first line of what it says."""
    said = PLACE.sub("", reason.strip().splitlines()[0] if reason.strip() else "nothing")[:LONGEST_REASON]
    message = "{}: {!r} cannot be read as a model of XGBoost ({}); save it with Booster.save_model, or train again"
    return EvaluationError(message.format(archive, name, said))


def check_archive(archive: str, head: bytes) -> None:
    """Refuse what is not even compressed with gzip, as a model.tar.gz is.

    Raises:
        EvaluationError: says what it is.
    """
    kind = signature(head)
    if kind == signatures.GZIP:
        return
    if kind == signatures.PICKLE:
        raise EvaluationError("{} {}".format(archive, _pickle(head)))
    what = "is " + kind if kind else "is text" if not signatures.is_binary(head) else "is of an unknown kind"
    message = "{} holds no model: it {}, not a tar archive compressed with gzip{}"
    raise EvaluationError(message.format(archive, what if head else "has no bytes", HOW_TO_PACK))


def _problem(head: bytes) -> str:
    """Return what is wrong with a model that begins so, with the remedy; nothing where it may be one."""
    kind = signature(head)
    if not head:
        return "has no bytes; train again"
    if kind == signatures.PICKLE:
        return _pickle(head)
    if kind == signatures.ZLIB:
        return "was compressed by joblib, with a pickle in it, which is not loaded; " + HOW_TO_SAVE
    if kind == signatures.TEXT_DUMP:
        return "is a text dump of a booster, of which no model can be made again; " + HOW_TO_SAVE
    if kind not in (None, signatures.XGBOOST):
        return "is {}, not a model of XGBoost; {}".format(kind, HOW_TO_SAVE)
    return ""


def _pickle(head: bytes) -> str:
    found = pickled_class(head)
    what = "is a pickle{}, which is not loaded: it could execute anything; ".format(" of " + found if found else "")
    if found and not found.startswith("xgboost."):
        return what + "only models of XGBoost can be evaluated, saved with Booster.save_model"
    saving = ".get_booster().save_model" if found.startswith(WRAPPERS) else ".save_model"
    who = "the XGBoost images before 1.3-1 wrote such files, and training scripts do"
    return "{}{}: load it where it was written, and save it anew with model{}('xgboost-model')".format(
        what, who, saving
    )
