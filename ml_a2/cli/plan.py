"""What a command line asks for: which stack, which data, which hyperparameters, or which model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ml_a2.cli.options import RUNS, SAMPLES
from ml_a2.data.cells import some
from ml_a2.errors import UserError
from ml_a2.suggestions import did_you_mean

if TYPE_CHECKING:
    from ml_a2.finding import Finding
    from ml_a2.records.request import Prepared, Request
    from ml_a2.settings import EvaluationSettings, TrainingSettings


def one_stack(settings: Path | None, assembly: Path | None) -> None:
    """Refuse settings together with an assembly.

    Raises:
        UserError: both are given.
    """
    if settings and assembly:
        raise UserError("--settings is read when the stack is synthesized, and --assembly is synthesized already")


def data_named(options: dict[str, Any]) -> str:
    """Return in words which data a command line names, right or wrong."""
    files = [str(options[name]) for name in ("train", "validation") if options[name]]
    return " and ".join(files) or f"sample {options['sample'] or SAMPLES[0]}"


def plan(
    settings: Path | None, assembly: Path | None, hyperparameters: dict[str, str], options: dict[str, Any]
) -> tuple[Request, Prepared]:
    """Load the data and settle what is asked for, with the hyperparameters that the execution's input will have.

    Args:
        settings: the settings file, None for the defaults.
        assembly: the assembly that was given in place of the project's own.
        hyperparameters: those chosen for this execution alone.
        options: the other options of the command line.

    Raises:
        UserError: options that exclude each other, bad data, bad hyperparameters, or no such model.
    """
    from ml_a2.records.request import Request
    from ml_a2.settings import load_settings

    chosen = load_settings(settings)
    training = chosen.training
    given: dict[str, Any] = _model(options, hyperparameters) if options.get("model") is not None else _data(options)
    asked = Request(
        directory=str(Path.cwd()),
        **given,
        objective=hyperparameters.get("objective", training.chosen_hyperparameters.get("objective")),
        settings=_text(settings),
        assembly=_text(assembly),
        hosts=1 if assembly else training.instance_count,
        region=options["region"],
        speed=options.get("speed", Request.speed),
        faults=options.get("faults", ()),
    )
    prepared = asked.prepare()
    _check_features(prepared, chosen.evaluation)
    if prepared.model is None:
        asked = replace(asked, hyperparameters=_settled(prepared, training, hyperparameters, assembly))
    return asked, prepared


def plan_of_data(
    settings: Path | None, hyperparameters: dict[str, str], options: dict[str, Any]
) -> tuple[Prepared, int, dict[str, str]]:
    """Load the data for a stack that is deployed already.

    Args:
        settings: the settings file that the stack was synthesized with, None for the defaults.
        hyperparameters: those chosen for this data alone.
        options: the other options of the command line.

    Returns:
        The data, into how many files of training rows it goes, and the hyperparameters that it asks for.

    Raises:
        UserError: options that exclude each other, bad data or bad hyperparameters.
    """
    from ml_a2.records.request import Request
    from ml_a2.settings import load_settings

    chosen = load_settings(settings)
    objective = hyperparameters.get("objective", chosen.training.chosen_hyperparameters.get("objective"))
    prepared = Request(directory=str(Path.cwd()), **_data(options), objective=objective).prepare()
    _check_features(prepared, chosen.evaluation)
    return prepared, chosen.training.instance_count, _settled(prepared, chosen.training, hyperparameters, None)


def warnings_of_data(
    settings: Path | None, hyperparameters: Mapping[str, str], prepared: Prepared
) -> Iterator[Finding]:
    """Yield what makes an evaluation of the data worthless, and is no error.

    Args:
        settings: the settings file, None for the defaults.
        hyperparameters: those of the execution's input, laid over those of the settings.
        prepared: the data.
    """
    from ml_a2.dataset_checks import check_dataset
    from ml_a2.settings import load_settings

    chosen = load_settings(settings)
    named = {**chosen.training.hyperparameters, **hyperparameters}
    yield from check_dataset(prepared.dataset, named, chosen.evaluation.group_column)


def warnings_of_training(
    settings: Path | None, assembly: Path | None, hyperparameters: Mapping[str, str], prepared: Prepared
) -> tuple[Finding, ...]:
    """Return what the training would do without a word, after trying what XGBoost might refuse.

    Args:
        settings: the settings file, None for the defaults.
        assembly: the assembly that was given in place of the project's own, whose own hyperparameters are not known.
        hyperparameters: those of the execution's input, laid over those of the settings.
        prepared: the data; nothing is trained where a model is given.

    Raises:
        UserError: the image, the instances, XGBoost or the evaluation would refuse it.
    """
    from ml_a2.local.trial.examination import refuse_unrunnable
    from ml_a2.settings import load_settings

    if prepared.model is not None:
        return ()
    chosen = load_settings(settings)
    stack = {"num_round": "1"} if assembly else chosen.training.hyperparameters
    return refuse_unrunnable(prepared.dataset, {**stack, **hyperparameters}, chosen)


def refuse_if_strict(warnings: Sequence[Finding], *, strict: bool) -> None:
    """Refuse to go on where warnings count.

    Raises:
        UserError: there are some; it tells all of them, a line each.
    """
    if strict and warnings:
        raise UserError("\nerror: ".join(warning.in_a_line() for warning in warnings))


def _check_features(prepared: Prepared, evaluation: EvaluationSettings) -> None:
    """Refuse features to evaluate by that the data does not have: the evaluation would, after the training."""
    features = prepared.dataset.feature_columns
    known = {*features, *(f"f{number}" for number in range(len(features)))}
    for key, names in (("slices", evaluation.slices), ("group_column", (evaluation.group_column,))):
        for name in names:
            if name is not None and name not in known:
                raise UserError(
                    f"evaluation.{key} names {name!r}, which is no feature of the data; its features are "
                    f"{some(features)}{did_you_mean(name, features)}"
                )


def _settled(
    prepared: Prepared, training: TrainingSettings, hyperparameters: dict[str, str], assembly: Path | None
) -> dict[str, str]:
    from ml_a2.local.images.xgboost.hyperparameters import check_hyperparameters
    from ml_a2.problem import merge_hyperparameters

    chosen = merge_hyperparameters(prepared.dataset.problem, training.chosen_hyperparameters, hyperparameters)
    # What another assembly brings along is for its own job to judge.
    check_hyperparameters({**({"num_round": "1"} if assembly else training.hyperparameters), **chosen})
    return chosen


def _data(options: dict[str, Any]) -> dict[str, Any]:
    sample, train, target = options["sample"], options["train"], options["target_column"]
    split = {name: options[name] for name in ("validation_fraction", "seed")}
    if train is None:
        if options["validation"] is not None or target is not None:
            raise UserError("--validation and --target-column describe a file given with --train; add --train FILE")
        return {"sample": sample or SAMPLES[0], **split}
    if sample:
        raise UserError("--sample and --train exclude each other; give one of them")
    if not target:
        raise UserError("--train needs --target-column NAME, the column to predict")
    return {"train": _text(train), "validation": _text(options["validation"]), "target_column": target, **split}


def _model(options: dict[str, Any], hyperparameters: dict[str, str]) -> dict[str, Any]:
    from ml_a2.records.record import find_run

    sample, validation, target = options["sample"], options["validation"], options["target_column"]
    if hyperparameters:
        raise UserError("--set decides how a model is trained, and --model is trained already; leave out one of them")
    if options["train"]:
        raise UserError("--train is to learn from, and --model has learned; give the rows with --validation FILE")
    if not sample and not validation:
        raise UserError("--model needs rows to be evaluated on; add --validation FILE or --sample NAME")
    if sample and (validation or target is not None):
        raise UserError("--sample and --validation exclude each other; give one of them, --target-column with a file")
    for name in ("seed", "validation_fraction"):
        if click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"{option} decides what is trained on; with --model that is settled, leave it out")
    model = options["model"]
    path = Path(model) if Path(model).is_file() else find_run(model, RUNS)
    return {"model": str(path), "sample": sample, "validation": _text(validation), "target_column": target}


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
