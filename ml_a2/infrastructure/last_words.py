"""The last lines of a failed job's log, brought into the state that the notification is written from.

A FailureReason keeps 1,024 characters, which the traceback's beginning fills: the exception itself stands at the end
of the log.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.calls import HOPELESS, service_call

# Long enough for what XGBoost's own stack trace appends to its message.
LINES = 25
# The log groups, each with the jobs that write there.
LOG_GROUPS = {contract.TRAINING_LOG_GROUP: "training-job", contract.PROCESSING_LOG_GROUP: "processing-job"}


class LastWords(Construct):
    """From `$.failure` (log_group, job_name) to `$.log` (stream, lines); goes on whatever the log answers."""

    def __init__(self, scope: Construct, construct_id: str, *, then: sfn.IChainable) -> None:
        """Create the states; `then` follows them."""
        super().__init__(scope, construct_id)
        self._then = then
        self._unread = self._report("LogUnread", "States.Format('not read: {}', $.caught.Cause)")
        self._none = self._report("NoLog", "States.Format('none: the {} job wrote nothing', $.failure.stage)")
        self.start = self._find()

    def _find(self) -> sfn.IChainable:
        find = service_call(
            self,
            "FindLogStream",
            service="cloudwatchlogs",
            parameters={
                "LogGroupName.$": "$.failure.log_group",
                "LogStreamNamePrefix.$": "States.Format('{}/', $.failure.job_name)",
            },
            iam_action="logs:DescribeLogStreams",
            resources=[arn for group in LOG_GROUPS for arn in (self._group_arn(group), f"{self._group_arn(group)}:*")],
            result_path="$.log",
        )
        # The first job of an account makes the group.
        find.add_catch(self._none, errors=list(HOPELESS["cloudwatchlogs"]), result_path="$.caught")
        find.add_catch(self._unread, errors=["States.ALL"], result_path="$.caught")
        found = sfn.Choice(self, "LogFound?", state_name="LogFound?")
        found.when(sfn.Condition.is_present("$.log.LogStreams[0].LogStreamName"), self._read())
        found.otherwise(self._none)
        find.next(found)
        return find

    def _read(self) -> sfn.IChainable:
        prefixes = contract.job_prefixes(Stack.of(self).stack_name)
        read = service_call(
            self,
            "ReadLastLines",
            service="cloudwatchlogs",
            parameters={
                "LogGroupName.$": "$.failure.log_group",
                "LogStreamName.$": "$.log.LogStreams[0].LogStreamName",
                "Limit": LINES,
                "StartFromHead": False,
            },
            iam_action="logs:GetLogEvents",
            resources=[f"{self._group_arn(group)}:log-stream:{prefixes[jobs]}*" for group, jobs in LOG_GROUPS.items()],
            result_selector={"messages.$": "$.Events[*].Message", "count.$": "States.ArrayLength($.Events)"},
            result_path="$.read",
        )
        read.add_catch(self._unread, errors=["States.ALL"], result_path="$.caught")
        read.next(self._join())
        return read

    def _join(self) -> sfn.IChainable:
        """Put the lines one below the other; no intrinsic function joins a list."""
        first = self._log("FirstLine", stream="$.log.LogStreams[0].LogStreamName", index=0, lines="")
        append = self._log(
            "AppendLine",
            stream="$.log.stream",
            index="States.MathAdd($.log.index, 1)",
            lines="States.Format('{}  {}\n', $.log.lines, States.ArrayGetItem($.read.messages, $.log.index))",
        )
        more = sfn.Choice(self, "MoreLines?", state_name="MoreLines?")
        more.when(sfn.Condition.number_less_than_json_path("$.log.index", "$.read.count"), append)
        more.otherwise(self._then)
        append.next(more)
        return first.next(more)

    def _report(self, name: str, stream: str) -> sfn.Pass:
        state = self._log(name, stream=stream, index=0, lines="")
        state.next(self._then)
        return state

    def _log(self, name: str, *, stream: str, index: str | int, lines: str) -> sfn.Pass:
        values = {"stream": stream, "index": index, "lines": lines}
        parameters = {
            f"{field}.$" if isinstance(value, str) and value.startswith(("$", "States.")) else field: value
            for field, value in values.items()
        }
        return sfn.Pass(self, name, state_name=name, parameters=parameters, result_path="$.log")

    def _group_arn(self, group: str) -> str:
        return Stack.of(self).format_arn(
            service="logs", resource="log-group", resource_name=group, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
