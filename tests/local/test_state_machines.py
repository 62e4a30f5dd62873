"""What the patches mend: a state machine behaves as Step Functions documents it, where the engine alone would not."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_a2.infrastructure import evaluation
from ml_a2.local import patches
from ml_a2.local.runtime import LocalRuntime

STATES_TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"},
}


def _execute(
    runtime: LocalRuntime, states: dict[str, Any], execution_input: Any = None, *allowed: str, wait: bool = True
) -> dict[str, Any]:
    clients = runtime.clients
    role = clients.iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps(STATES_TRUST))["Role"]["Arn"]
    if allowed:
        statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        clients.iam.put_role_policy(RoleName="machine", PolicyName="p", PolicyDocument=document)
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    machine = clients.stepfunctions.create_state_machine(name="machine", definition=definition, roleArn=role)
    started = clients.stepfunctions.start_execution(
        stateMachineArn=machine["stateMachineArn"], name="one", input=json.dumps(execution_input or {})
    )
    return _await(runtime, started["executionArn"]) if wait else dict(started)


def _await(runtime: LocalRuntime, arn: str) -> dict[str, Any]:
    while (answer := runtime.clients.stepfunctions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.05)
    return dict(answer)


def _task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{resource}",
        "Parameters": parameters,
        "End": True,
        **more,
    }


DESCRIBE = _task("sagemaker:describeTrainingJob", {"TrainingJobName": "nobody"})


def test_a_role_without_permission_is_denied_in_aws_words(runtime: LocalRuntime) -> None:
    """A call that no policy allows fails with the service's error name and names action and resource."""
    answer = _execute(runtime, {"Describe": DESCRIBE})
    assert (answer["status"], answer["error"]) == ("FAILED", "SageMaker.SageMakerException")
    assert (
        "assumed-role/machine/StepFunctions is not authorized to perform: sagemaker:DescribeTrainingJob"
        in answer["cause"]
    )
    assert ":training-job/nobody because no identity-based policy allows" in answer["cause"]


def test_errors_that_the_model_does_not_list_carry_the_service_name(runtime: LocalRuntime) -> None:
    """A ValidationException is told as SageMaker.SageMakerException, action names count in any case."""
    answer = _execute(runtime, {"Describe": DESCRIBE}, None, "sagemaker:describetrainingjob")
    assert answer["error"] == "SageMaker.SageMakerException"
    assert answer["cause"].startswith(
        "Requested resource not found. (Service: SageMaker, Status Code: 400, Request ID:"
    )


def test_an_object_is_read_as_text(runtime: LocalRuntime) -> None:
    """GetObject gives its body as a string and times as ISO 8601."""
    runtime.clients.s3.create_bucket(Bucket="bucket")
    runtime.clients.s3.put_object(Bucket="bucket", Key="k", Body=b'{"x": 1}')
    task = _task("s3:getObject", {"Bucket": "bucket", "Key": "k"})
    output = json.loads(_execute(runtime, {"Read": task}, None, "s3:GetObject")["output"])
    assert json.loads(output["Body"]) == {"x": 1}
    assert output["LastModified"].endswith("Z")


def test_listed_errors_have_their_own_name(runtime: LocalRuntime) -> None:
    """NoSuchKey is in S3's model, so it is S3.NoSuchKeyException."""
    runtime.clients.s3.create_bucket(Bucket="bucket")
    answer = _execute(runtime, {"Read": _task("s3:getObject", {"Bucket": "bucket", "Key": "k"})}, None, "s3:GetObject")
    assert answer["error"] == "S3.NoSuchKeyException"


def test_a_topic_policy_can_deny(runtime: LocalRuntime) -> None:
    """What the topic's own policy denies, the role may not do."""
    topic = runtime.clients.sns.create_topic(Name="topic")["TopicArn"]
    denial = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    runtime.clients.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    answer = _execute(runtime, {"Tell": _task("sns:publish", {"TopicArn": topic, "Message": "m"})}, None, "sns:Publish")
    assert answer["error"] == "Sns.SnsException"
    assert "sns:Publish on resource: " + topic + " with an explicit deny in a resource-based policy" in answer["cause"]


def test_fails_for_an_integration_whose_permissions_are_unknown(runtime: LocalRuntime) -> None:
    """What cannot be decided is refused by name, not allowed."""
    with pytest.raises(ClientError, match=r"InvalidDefinition.*the permissions of s3:list_buckets are not known here"):
        _execute(runtime, {"List": _task("s3:listBuckets", {})}, None, "s3:*")


@pytest.mark.parametrize("rule", [{"StringEquals": "x"}, {"NumericLessThan": 3}, {"IsString": True}])
def test_a_choice_on_a_missing_variable_fails(runtime: LocalRuntime, rule: dict[str, Any]) -> None:
    """Step Functions fails; the engine alone would go on with the default."""
    states = {
        "Choose": {"Type": "Choice", "Choices": [{"Variable": "$.no.such", "Next": "Done", **rule}], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    }
    answer = _execute(runtime, states)
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.no.such': The choice state's condition path references an invalid value" in answer["cause"]


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ("sns:publish", {"Message": "m", "TopicArn.$": "$.no.such"}),
        ("s3:putObject", {"Bucket": "data", "Key": "key", "Body": "text, which is refused here"}),
    ],
)
def test_runtime_errors_cannot_be_caught(runtime: LocalRuntime, call: str, parameters: dict[str, Any]) -> None:
    """States.ALL catches everything but what ends an execution in any case."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
    task = {**_task(call, parameters), "Catch": catch}
    answer = _execute(runtime, {"Tell": task, "Done": {"Type": "Succeed"}}, None, "sns:Publish", "s3:PutObject")
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")


def test_is_present_may_ask_for_a_missing_variable(runtime: LocalRuntime) -> None:
    """IsPresent is the one comparison that does not need its variable."""
    states = {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.no.such", "IsPresent": False, "Next": "Done"}],
            "Default": "Bad",
        },
        "Done": {"Type": "Succeed"},
        "Bad": {"Type": "Fail"},
    }
    assert _execute(runtime, states)["status"] == "SUCCEEDED"


def test_waits_and_retry_pauses_are_shortened(runtime: LocalRuntime) -> None:
    """At speed 1000, a minute of waiting and half an hour of retry pauses pass while a person looks on."""
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "MaxAttempts": 2, "BackoffRate": 2}
    states = {
        "Wait": {"Type": "Wait", "Seconds": 60, "Next": "Describe"},
        "Describe": {**DESCRIBE, "Retry": [retry]},
    }
    answer = _execute(runtime, states)
    history = runtime.clients.stepfunctions.get_execution_history(executionArn=answer["executionArn"])["events"]
    assert [event["type"] for event in history].count("TaskFailed") == 3


def test_stopping_interrupts_a_retry_pause_and_keeps_the_reason(runtime: LocalRuntime) -> None:
    """StopExecution ends a pause of months at once; error and cause are kept."""
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 8_000_000, "MaxAttempts": 2}
    arn = _execute(runtime, {"Describe": {**DESCRIBE, "Retry": [retry]}}, wait=False)["executionArn"]
    stepfunctions = runtime.clients.stepfunctions
    while "TaskFailed" not in [e["type"] for e in stepfunctions.get_execution_history(executionArn=arn)["events"]]:
        time.sleep(0.05)
    stepfunctions.stop_execution(executionArn=arn, error="ByHand", cause="no longer needed")
    answer = _await(runtime, arn)
    assert (answer["status"], answer["error"], answer["cause"]) == ("ABORTED", "ByHand", "no longer needed")


def test_a_stop_in_the_middle_of_a_call_stands(runtime: LocalRuntime) -> None:
    """Whatever the interrupted call makes of it, the execution ends ABORTED with the reason that was given."""
    catch = [{"ErrorEquals": ["Never"], "Next": "End"}, {"ErrorEquals": ["States.ALL"], "Next": "Describe"}]
    task = {**DESCRIBE, "TimeoutSeconds": 60, "Catch": catch, "Next": "Describe"}
    del task["End"]
    started = _execute(runtime, {"Describe": task, "End": {"Type": "Succeed"}}, wait=False)
    stepfunctions = runtime.clients.stepfunctions
    machine = stepfunctions.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    arns = [
        started["executionArn"],
        *(stepfunctions.start_execution(stateMachineArn=machine, name=f"n{n}")["executionArn"] for n in range(15)),
    ]
    for number, arn in enumerate(arns):
        time.sleep(0.01 * (number % 4))
        stepfunctions.stop_execution(executionArn=arn, error="ByHand", cause="enough")
    answers = [_await(runtime, arn) for arn in arns]
    assert {(answer["status"], answer["error"]) for answer in answers} == {("ABORTED", "ByHand")}


def test_start_time_is_text_for_intrinsic_functions(runtime: LocalRuntime) -> None:
    """The context's StartTime can be formatted and hashed, and is the execution's own."""
    states = {
        "Name": {
            "Type": "Pass",
            "Parameters": {
                "hash.$": "States.Hash($$.Execution.StartTime, 'SHA-1')",
                "time.$": "$$.Execution.StartTime",
            },
            "End": True,
        }
    }
    output = json.loads(_execute(runtime, states)["output"])
    assert len(output["hash"]) == 40
    assert output["time"].endswith("Z")


def test_timed_out_executions_tell_when(runtime: LocalRuntime) -> None:
    """DescribeExecution has a stopDate for TIMED_OUT, and neither error nor cause."""
    clients = runtime.clients
    role = clients.iam.create_role(RoleName="m", AssumeRolePolicyDocument=json.dumps(STATES_TRUST))["Role"]["Arn"]
    states = {"Wait": {"Type": "Wait", "Seconds": 100_000, "End": True}}
    definition = json.dumps({"StartAt": "Wait", "TimeoutSeconds": 1, "States": states})
    machine = clients.stepfunctions.create_state_machine(name="m", definition=definition, roleArn=role)
    arn = clients.stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"], name="one")["executionArn"]
    answer = _await(runtime, arn)
    assert answer["status"] == "TIMED_OUT"
    assert answer["stopDate"] >= answer["startDate"]
    assert "error" not in answer


def test_fails_on_another_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patches refuse an engine that they were not written for."""
    monkeypatch.setattr(patches, "_applied", False)
    monkeypatch.setattr(patches.moto, "__version__", "9.9.9")
    with pytest.raises(RuntimeError, match=r"written for moto 5\.2\.5, not 9\.9\.9"):
        patches.apply(lambda *_: None, 1, lambda *_: None, lambda *_: None)
    assert not patches._applied  # so that a second try is refused as well


def test_a_task_that_fails_before_its_call_is_followed_too(runtime: LocalRuntime) -> None:
    """Its end is told and logged as any other, though there is no call to count."""
    task = _task("sagemaker:describeTrainingJob", {"TrainingJobName.$": "$.nowhere"})
    assert _execute(runtime, {"Describe": task})["status"] == "FAILED"
    runtime.settle()
    assert runtime.incidents.all() == []


@pytest.mark.parametrize("last", [1001, 10**11])
def test_ranges_are_bounded_before_they_are_made(runtime: LocalRuntime, last: int) -> None:
    """A range has 1,000 items at most; a large one must not fill the memory first."""
    states = {"Count": {"Type": "Pass", "Parameters": {"n.$": f"States.ArrayRange(1, {last}, 1)"}, "End": True}}
    answer = _execute(runtime, states)
    assert answer["status"] == "FAILED"
    assert "Arrays cannot contain more than 1000 items" in answer["cause"]


def test_a_range_of_a_thousand_items_is_made(runtime: LocalRuntime) -> None:
    """The limit itself is allowed."""
    states = {"Count": {"Type": "Pass", "Parameters": {"n.$": "States.ArrayRange(1, 1000, 1)"}, "End": True}}
    assert json.loads(_execute(runtime, states)["output"])["n"][-1] == 1000


def test_executions_without_a_name_get_one(runtime: LocalRuntime) -> None:
    """Each another, as AWS makes them up; none meets the one before."""
    _execute(runtime, {"Done": {"Type": "Succeed"}})
    stepfunctions = runtime.clients.stepfunctions
    machine = stepfunctions.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    arns = [stepfunctions.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]
    names = [_await(runtime, arn)["name"] for arn in arns]
    assert len({uuid.UUID(name) for name in names}) == 2


def test_an_execution_can_be_stopped_as_soon_as_it_is_there(runtime: LocalRuntime) -> None:
    """Its start is answered when there is something to stop, however long the definition takes to read."""
    waits = {f"Wait{n}": {"Type": "Wait", "Seconds": 3600, "Next": f"Wait{n + 1}"} for n in range(200)}
    _execute(runtime, {**waits, "Wait200": {"Type": "Wait", "Seconds": 3600, "End": True}}, wait=False)
    stepfunctions = runtime.clients.stepfunctions
    machine = stepfunctions.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    for _ in range(5):
        arn = stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]
        stepfunctions.stop_execution(executionArn=arn)
        assert _await(runtime, arn)["status"] == "ABORTED"
        assert stepfunctions.get_execution_history(executionArn=arn)["events"]


def _machine_that(runtime: LocalRuntime, states: dict[str, Any], **machine: Any) -> str:
    """Execute a machine with fields of its own; return how it ended."""
    clients, name = runtime.clients, uuid.uuid4().hex
    role = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(STATES_TRUST))["Role"]["Arn"]
    definition = json.dumps({"StartAt": next(iter(states)), "States": states, **machine})
    created = clients.stepfunctions.create_state_machine(name=name, definition=definition, roleArn=role)
    started = clients.stepfunctions.start_execution(
        stateMachineArn=created["stateMachineArn"], name="one", input="[1,2]"
    )
    return str(_await(runtime, started["executionArn"])["status"])


def _wait(seconds: int, name: str = "Wait", **more: Any) -> dict[str, Any]:
    return {name: {"Type": "Wait", "Seconds": seconds, **(more or {"End": True})}}


def _branches(*seconds: int) -> dict[str, Any]:
    branches = [{"StartAt": f"W{n}", "States": _wait(each, f"W{n}")} for n, each in enumerate(seconds)]
    return {"Parallel": {"Type": "Parallel", "Branches": branches, "Next": "Wait"}, **_wait(1000)}


def _items(concurrency: int, **configuration: str) -> dict[str, Any]:
    processor: dict[str, Any] = {"StartAt": "Item", "States": _wait(3000, "Item")}
    if configuration:
        processor["ProcessorConfig"] = configuration
    return {"Map": {"Type": "Map", "MaxConcurrency": concurrency, "ItemProcessor": processor, "End": True}}


RETRIED = {
    "Describe": {**DESCRIBE, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2000, "MaxAttempts": 2}]}
}


@pytest.mark.parametrize(
    ("states", "takes", "ends"),
    [
        (_wait(5000), 5000, "SUCCEEDED"),
        ({**_wait(2000, "First", Next="Wait"), **_wait(2000)}, 4000, "SUCCEEDED"),
        (RETRIED, 6000, "FAILED"),
        (_branches(2000, 5000, 1000), 6000, "SUCCEEDED"),
        (_items(0), 3000, "SUCCEEDED"),
        (_items(1), 6000, "SUCCEEDED"),
        (_items(1, Mode="DISTRIBUTED", ExecutionType="STANDARD"), 6000, "SUCCEEDED"),
    ],
    ids=["wait", "waits", "retry", "parallel", "map", "map of one", "distributed map of one"],
)
def test_shortened_time_counts_in_full_towards_the_time_out(
    runtime: LocalRuntime, states: dict[str, Any], takes: int, ends: str
) -> None:
    """At speed 1000, of pauses that last hours; branches pause at once."""
    assert _machine_that(runtime, states, TimeoutSeconds=takes - 1) == "TIMED_OUT"
    assert _machine_that(runtime, states, TimeoutSeconds=takes + 500) == ends


def test_a_timestamp_is_waited_for_by_nominal_time(runtime: LocalRuntime) -> None:
    """One that an earlier pause has passed is over; the offset counts."""
    later = dt.datetime.now(dt.timezone(dt.timedelta(hours=5))) + dt.timedelta(seconds=3000)
    states = {
        **_wait(2900, "First", Next="Until"),
        "Until": {"Type": "Wait", "Timestamp": later.isoformat(timespec="seconds"), "End": True},
    }
    assert _machine_that(runtime, states, TimeoutSeconds=3500) == "SUCCEEDED"


def test_a_path_gives_as_many_values_as_it_can_name(runtime: LocalRuntime) -> None:
    """A filter or a descent gives a list, of one value or none too; names and indices give the value itself."""
    execution_input = {"list": [{"a": 1, "n": "x"}, {"a": 2, "n": "y"}], "d": {"x": {"a": [1, 2]}}, "q": {"b:c": 3}}
    expected = {
        "$.list[?(@.a == 2)].n": ["y"],
        "$.list[?(@.a >= 1)].n": ["x", "y"],
        "$.list[?(@.a == 9)]": [],
        "$..nothing[?(@.a == 9)].n": [],
        "$.d..a": [[1, 2]],
        "$.list[*].n": ["x", "y"],
        "$.list[1:].n": ["y"],
        "$.list[0].n": "x",
        "$.list[1]": {"a": 2, "n": "y"},
        "$.q['b:c']": 3,
    }
    parameters = {f"p{number}.$": path for number, path in enumerate(expected)}
    answer = _execute(runtime, {"Take": {"Type": "Pass", "Parameters": parameters, "End": True}}, execution_input)
    assert list(json.loads(answer["output"]).values()) == list(expected.values())


def test_fails_for_a_filter_of_what_is_not_there(runtime: LocalRuntime) -> None:
    """A list that cannot be searched is an error, as a name that is not there."""
    states = {"Take": {"Type": "Pass", "Parameters": {"n.$": "$.no.list[?(@.a == 9)]"}, "End": True}}
    answer = _execute(runtime, states, {"list": []})
    assert answer["error"] == "States.Runtime"
    assert "'$.no.list[?(@.a == 9)]'" in answer["cause"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            {
                "FinalMetricDataList": [
                    {"MetricName": "train:auc", "Value": 0.75},
                    {"MetricName": "validation:auc", "Value": 0.5},
                ],
                "HyperParameters": {"eval_metric": "logloss,auc", "_tuning_objective_metric": "validation:auc"},
            },
            ("[0.5]", "[]", 'auc"]', '["validation:auc"]'),
        ),
        ({"FinalMetricDataList": [], "HyperParameters": {"eval_metric": "auc"}}, ("[]", "[]", '["auc"]', "[]")),
        ({"TrainingJobStatus": "Completed", "HyperParameters": {}}, ("[]", "[]", "[]", "[]")),
        (None, ("[]", "[]", "[]", "[]")),
    ],
    ids=["metrics", "no metrics", "no list", "nothing trained"],
)
def test_what_the_training_said_is_passed_on_if_it_said_anything(
    runtime: LocalRuntime, state: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    """The evaluation's variables are short texts, whatever is there of DescribeTrainingJob's answer."""
    paths = (evaluation.LAST_VALUE.format("auc"), evaluation.LAST_VALUE.format("rmse"))
    parameters = {f"{n}.$": path for n, path in enumerate((*paths, evaluation.LAST_ASKED, evaluation.TUNED))}
    execution_input = {"hyperparameters": {"eval_metric": "x"}, **({"training": state} if state else {})}
    answer = _execute(runtime, {"Take": {"Type": "Pass", "Parameters": parameters, "End": True}}, execution_input)
    assert tuple(json.loads(answer["output"]).values()) == expected
