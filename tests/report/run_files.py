"""The manifest and the history that a run leaves."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Any

BEGAN = dt.datetime(2026, 11, 24, 20, 20, 3, tzinfo=dt.UTC)


def manifest_of(kind: str, names: list[str], target: str, mapping: Any, objective: str) -> dict[str, Any]:
    """Return a manifest with every key that it may have."""
    return {
        "execution": {
            "name": "20261124-202003-417c",
            "arn": "arn:aws:states:us-east-1:123456789012:execution:MlA2:20261124-202003-417c",
            "status": "SUCCEEDED",
            "seconds": 6.974,
            "started": "2026-11-24T20:20:03.722+00:00",
            "ended": "2026-11-24T20:20:07.728+00:00",
        },
        "gate": "none",
        "failure": None,
        "template_sha256": _sha("template"),
        "data": {
            "train": "customers.csv",
            "validation": None,
            "validation_fraction": 0.3,
            "split_seed": 42,
            "stratified": mapping is not None,
            "target_column": target,
            "feature_columns": names,
            "train_rows": 398,
            "validation_rows": 171,
            "files": [_file("train", "train/part-0.csv"), _file("validation", "validation/part-0.csv")],
            "sources": [{"path": "customers.csv", "sha256": _sha("customers")}],
        },
        "code": [{"key": "evaluation/evaluate.py", "version_id": "v3", "sha256": _sha("evaluate")}],
        "model": {"uri": "s3://models/ml-a2-training/model.tar.gz", "version_id": _sha("v")[:32], "sha256": _sha("m")},
        "problem": {"kind": kind, "objective": objective, "objective_inferred": True, "label_mapping": mapping},
        "hyperparameters": {"num_round": "30", "objective": objective, "max_depth": "6"},
        "training_image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "evaluation_image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "stand_in": "XGBoost 2.1.4 stood in for the image's own 1.7.4",
        "seeds": {"split": 42, "sampling": 20240901},
        "timings": {
            "states": [
                {
                    "name": "WaitForTraining",
                    "entered": "2026-11-24T20:20:04.155+00:00",
                    "seconds": 1.5,
                    "visits": 5,
                    "nominal_seconds": 150,
                }
            ],
            "training_seconds": 1.204,
            "evaluation_seconds": 2.41,
            "speed": 100,
        },
        "platform": "Linux x86_64",
        "request": {"faults": []},
        "metrics": {},
        "versions": {"ml-a2": "0.1.0", "python": "3.11.7", "xgboost": "2.1.4"},
    }


def _file(channel: str, key: str) -> dict[str, Any]:
    return {"channel": channel, "key": key, "version_id": _sha(key)[:32], "sha256": _sha(key), "bytes": 84_512}


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def history(*, polls: int = 5, failure: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the events of an execution that polled so often, and ended well unless a failure is given."""
    return [{"id": index + 1, **event} for index, event in enumerate(_events(polls, failure))]


def _events(polls: int, failure: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    time = BEGAN
    states = [("NameJobs", 9), ("ApplyDefaults", 7), ("ModelGiven?", 1), ("CreateTrainingJob", 415)]
    states += [("WaitForTraining", 300), ("DescribeTrainingJob", 17), ("TrainingStatus?", 6)] * polls
    if failure:
        states += [("TrainingJobFailed", 2), ("NotifyFailure", 34), ("PipelineFailed", 1)]
    else:
        states += [("UseTrainedModel", 3), ("CreateProcessingJob", 200)]
        states += [("WaitForEvaluation", 300), ("DescribeProcessingJob", 14), ("EvaluationStatus?", 5)] * polls
        states += [("ReadEvaluation", 20), ("PipelineSucceeded", 1)]
    yield {"timestamp": time.isoformat(), "type": "ExecutionStarted", "executionStartedEventDetails": {}}
    for name, milliseconds in states:
        state = json.dumps({"failure": failure, "log": {"stream": "job/algo-1", "lines": "  ValueError: x\n"}})
        entered = {"name": name, "input": state if failure else "{}"}
        yield {"timestamp": time.isoformat(), "type": "StateEntered", "stateEnteredEventDetails": entered}
        time += dt.timedelta(milliseconds=milliseconds)
        if name == "CreateTrainingJob":
            error = {"error": "SageMaker.SageMakerException", "cause": "Rate exceeded"}
            yield {"timestamp": time.isoformat(), "type": "TaskFailed", "taskFailedEventDetails": error}
        if name != "PipelineFailed":
            yield {"timestamp": time.isoformat(), "type": "StateExited", "stateExitedEventDetails": {"name": name}}
    yield {"timestamp": time.isoformat(), "type": "ExecutionFailed" if failure else "ExecutionSucceeded"}
