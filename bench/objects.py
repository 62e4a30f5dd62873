"""One large object into the embedded S3 and out again: by another program over HTTP, and within the process."""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.measure import Running, Usage, measure, own_variables
from bench.plan import Plan, Section, table
from bench.runs import Spread, interleaved, spread
from bench.startup import await_answer, free_port
from ml_a2.errors import PlatformError

MEGABYTES, MEGABYTES_IF_QUICK = 1000, 100
BLOCK_BYTES = 1_000_000
BUCKET, KEY = "bench-objects", "large"
WAYS = {
    "copy": "the file copied, by a process of its own",
    "http": "boto3 over HTTP; the process of `ml-a2 local up`",
    "within": "the runtime's own clients, in its process",
}
MODULE = [sys.executable, "-m", "bench.objects"]
PROJECT = Path(__file__).parents[1]


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
    rows = [(words, *_cells(found[way], megabytes)) for way, words in WAYS.items()]
    return Section(table((f"an object of {megabytes} MB", "in, MB/s", "out, MB/s", "largest process"), rows))


def _cells(usages: Sequence[Usage], megabytes: int) -> tuple[str, str, str]:
    both = zip(*(json.loads(usage.output) for usage in usages), strict=True)
    speeds = [Spread.of([megabytes / seconds for seconds in times]) for times in both]
    said = [f"{speed.median:.0f} ({speed.low:.0f} to {speed.high:.0f})" for speed in speeds]
    return said[0], said[1], f"{spread(usages, 'largest_mb').median:.0f} MB"


def _way(way: str, plan: Plan, file: Path) -> Callable[[], Usage]:
    if way == "http":
        return lambda: _over_http(plan, file)
    return lambda: measure([*MODULE, way, str(file)], PROJECT)


def _over_http(plan: Plan, file: Path) -> Usage:
    """Serve the endpoint to another process; return what serving cost, and how long the other one waited."""
    port = free_port()
    serve = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--no-deploy", "--port", str(port)]
    with Running(serve, plan.scratch) as server:
        await_answer(server, port, "s3")
        command = [*MODULE, "http", str(file), "--port", str(port)]
        answer = subprocess.run(command, cwd=PROJECT, env=own_variables(), capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise PlatformError(f"the object did not get there and back: {answer.stderr.strip()[-1000:]}")
    return replace(server.usage(), output=answer.stdout)


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
    elif options.way == "http":
        took = _there_and_back(_client(options.port), options.file)
    else:
        from ml_a2.local.runtime import LocalRuntime

        with LocalRuntime() as runtime:
            took = _there_and_back(runtime.clients.s3, options.file)
    print(json.dumps(took))


def _client(port: int) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # the endpoint accepts any
        region_name="us-east-1",
    )


def _there_and_back(s3: Any, file: Path) -> list[float]:
    """Upload and download as boto3 does it by default, in parts, and see that the same came back."""
    back = file.with_suffix(".back")
    s3.create_bucket(Bucket=BUCKET)
    took = _timed(lambda: s3.upload_file(str(file), BUCKET, KEY), lambda: s3.download_file(BUCKET, KEY, str(back)))
    if not filecmp.cmp(file, back, shallow=False):
        raise PlatformError(f"what came back of {file} is not what was sent")
    return took


def _timed(*calls: Callable[[], object]) -> list[float]:
    seconds = []
    for call in calls:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
