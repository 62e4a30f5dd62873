"""One large object into the embedded S3 and out again: by other programs over HTTP, and within the process."""

from __future__ import annotations

import argparse
import filecmp
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from bench.measure import Running, Usage, measure, own_variables
from bench.plan import Goal, Plan, Section, table
from bench.runs import Spread, interleaved, spread
from bench.startup import await_answer, free_port
from ml_a2.errors import PlatformError

MEGABYTES, MEGABYTES_IF_QUICK = 1000, 100
LEAST_MEGABYTES_A_SECOND, MOST_MEMORY_MB = 300, 100
BLOCK_BYTES = 1_000_000
BUCKET, KEY = "bench-objects", "large"
WAYS = {
    "copy": "the file copied, by a process of its own",
    "plain": "one HTTP request each way, by Python's http.client; the process of `ml-a2 local up`",
    "boto3": "boto3 over HTTP; the process of `ml-a2 local up`",
    "within": "the runtime's own clients, in its process",
}
OVER_HTTP = ("plain", "boto3")
MODULE = [sys.executable, "-m", "bench.objects"]
PROJECT = Path(__file__).parents[1]

Calls = tuple[Callable[[], object], Callable[[], object]]


def run(plan: Plan) -> Section:
    """Measure the ways in and out, beside copies of the file."""
    megabytes = MEGABYTES_IF_QUICK if plan.quick else MEGABYTES
    with TemporaryDirectory(dir=plan.scratch) as folder:
        file = Path(folder, "large.bin")
        with file.open("wb") as writing:
            for _ in range(megabytes):
                writing.write(os.urandom(BLOCK_BYTES))
        ways = {way: _way(way, plan, file) for way in WAYS}
        found = interleaved(ways, plan.repetitions, plan.tell)
    speeds = {way: _speeds(usages, megabytes) for way, usages in found.items()}
    rows = [
        (words, *map(_cell, speeds[way]), f"{spread(found[way], 'largest_mb').median:.0f} MB")
        for way, words in WAYS.items()
    ]
    goals = [goal for way in OVER_HTTP for goal in _goals(way, speeds[way], found[way])]
    return Section(table((f"an object of {megabytes} MB", "in, MB/s", "out, MB/s", "largest process"), rows), goals)


def _speeds(usages: Sequence[Usage], megabytes: int) -> list[Spread]:
    """Return the megabytes a second in and out."""
    both = zip(*(json.loads(usage.output)["seconds"] for usage in usages), strict=True)
    return [Spread.of([megabytes / seconds for seconds in times]) for times in both]


def _cell(speed: Spread) -> str:
    return f"{speed.median:.0f} ({speed.low:.0f} to {speed.high:.0f})"


def _goals(way: str, speeds: Sequence[Spread], usages: Sequence[Usage]) -> Iterator[Goal]:
    name = WAYS[way].partition(";")[0]
    for direction, speed in zip(("in", "out"), speeds, strict=True):
        yield Goal(f"{direction}: {name}", speed.median, LEAST_MEGABYTES_A_SECOND, " MB/s", at_least=True)
    cost = Spread.of([usage.largest_mb - json.loads(usage.output)["before_mb"] for usage in usages]).median
    yield Goal(f"memory that both ways cost the endpoint: {name}", cost, MOST_MEMORY_MB, " MB")


def _way(way: str, plan: Plan, file: Path) -> Callable[[], Usage]:
    if way in OVER_HTTP:
        return lambda: _over_http(way, plan, file)
    return lambda: measure([*MODULE, way, str(file)], PROJECT)


def _over_http(way: str, plan: Plan, file: Path) -> Usage:
    """Serve the endpoint to another process; return what serving cost, and how long the other one waited."""
    port = free_port()
    serve = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--no-deploy", "--port", str(port)]
    with Running(serve, plan.scratch) as server:
        await_answer(server, port, "s3")
        before = server.largest_mb()
        command = [*MODULE, way, str(file), "--port", str(port)]
        answer = subprocess.run(command, cwd=PROJECT, env=own_variables(), capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise PlatformError(f"the object did not get there and back: {answer.stderr.strip()[-1000:]}")
    return replace(server.usage(), output=json.dumps({**json.loads(answer.stdout), "before_mb": before}))


def main() -> None:
    """Bring a file in and out one way, and print the seconds of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if options.way == "copy":
        copies = (options.file.with_suffix(".copy"), options.file.with_suffix(".back"))
        took = _timed(lambda: shutil.copyfile(options.file, copies[0]), lambda: shutil.copyfile(*copies))
    elif options.way == "plain":
        took = _there_and_back(_client(options.port), options.file, _requests)
    elif options.way == "boto3":
        took = _there_and_back(_client(options.port), options.file, _transfers)
    else:
        from ml_a2.local.runtime import LocalRuntime

        with LocalRuntime() as runtime:
            took = _there_and_back(runtime.clients.s3, options.file, _transfers)
    print(json.dumps({"seconds": took}))


def _client(port: int) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # the endpoint accepts any
        region_name="us-east-1",
    )


def _there_and_back(s3: Any, file: Path, way: Callable[[Any, Path, Path], Calls]) -> list[float]:
    """Return how long an object took in and out, once it is seen that the same came back."""
    back = file.with_suffix(".back")
    s3.create_bucket(Bucket=BUCKET)
    took = _timed(*way(s3, file, back))
    if not filecmp.cmp(file, back, shallow=False):
        raise PlatformError(f"what came back of {file} is not what was sent")
    return took


def _transfers(s3: Any, file: Path, back: Path) -> Calls:
    """Upload and download as boto3 does it by default, in parts."""
    return lambda: s3.upload_file(str(file), BUCKET, KEY), lambda: s3.download_file(BUCKET, KEY, str(back))


def _requests(s3: Any, file: Path, back: Path) -> Calls:
    """Send and fetch in one request each, as programs without AWS's libraries do with a signed URL."""
    there, here = (
        urlsplit(s3.generate_presigned_url(operation, {"Bucket": BUCKET, "Key": KEY}))
        for operation in ("put_object", "get_object")
    )
    connection = http.client.HTTPConnection(str(there.hostname), there.port, blocksize=BLOCK_BYTES)

    def send() -> None:
        with file.open("rb") as body:
            connection.request("PUT", f"{there.path}?{there.query}", body, {"Content-Length": str(file.stat().st_size)})
        _answer(connection).read()

    def fetch() -> None:
        connection.request("GET", f"{here.path}?{here.query}")
        with back.open("wb") as written:
            shutil.copyfileobj(_answer(connection), written, BLOCK_BYTES)
        connection.close()

    return send, fetch


def _answer(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise PlatformError(f"the endpoint answered {answer.status}: {answer.read(1000)!r}")
    return answer


def _timed(*calls: Callable[[], object]) -> list[float]:
    seconds = []
    for call in calls:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
