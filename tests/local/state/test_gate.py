"""Requests pass the gate side by side; a snapshot is taken when none of them is under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ml_a2.local.state.gate import Gate, outside


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


@contextmanager
def _request(gate: Gate) -> Iterator[None]:
    """Let a request be under way in another thread."""
    begun, end = threading.Event(), threading.Event()

    def run() -> None:
        with gate.passage():
            begun.set()
            end.wait()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.fixture
def gate() -> Gate:
    return Gate(patience_seconds=0.05, hold_seconds=0.05)


def test_requests_pass_side_by_side(gate: Gate) -> None:
    """One does not wait for another."""
    with _request(gate), gate.passage() as is_open:
        assert is_open


def test_nothing_is_taken_while_a_request_is_under_way(gate: Gate) -> None:
    """Patience ends, and the request goes on."""
    with _request(gate), gate.alone(_yes, _yes) as alone:
        assert not alone
    with gate.alone(_yes, _yes) as alone:
        assert alone


def test_a_request_waits_for_the_snapshot(gate: Gate) -> None:
    """It passes once that is taken, and not before."""
    passed = threading.Event()

    def run() -> None:
        with gate.passage():
            passed.set()

    thread = threading.Thread(target=run)
    with gate.alone(_yes, _yes) as alone:
        assert alone
        thread.start()
        assert not passed.wait(0.1)
    thread.join()
    assert passed.is_set()


def test_new_requests_are_held_back_when_there_is_never_a_quiet_moment() -> None:
    """With requests that always overlap, a snapshot comes all the same."""
    gate = Gate(patience_seconds=0.05, hold_seconds=60)
    ending = threading.Event()

    def keep_on() -> None:
        while not ending.is_set():
            with gate.passage():
                ending.wait(0.01)

    threads = [threading.Thread(target=keep_on) for _ in range(8)]
    for thread in threads:
        thread.start()
    with gate.alone(_yes, _no) as alone:
        assert alone
    ending.set()
    for thread in threads:
        thread.join()


def test_a_request_made_by_a_request_passes_with_it() -> None:
    """It must not wait for the end of the one that waits for it."""
    gate = Gate(patience_seconds=0, hold_seconds=60)
    held, done = threading.Event(), threading.Event()

    def run() -> None:
        with gate.passage():
            held.set()
            while not gate._held:
                done.wait(0.001)
            with gate.passage():
                done.set()

    thread = threading.Thread(target=run)
    thread.start()
    held.wait()
    with gate.alone(_yes, _no) as alone:
        assert alone
        assert done.is_set()
    thread.join()


def test_what_cannot_be_kept_now_is_left_for_later(gate: Gate) -> None:
    """Something that is half done beside requests forbids it at any time."""
    with gate.alone(_no, _yes) as alone:
        assert not alone


def test_the_end_does_not_wait_for_a_good_moment() -> None:
    """A snapshot that waits for one is given up, since the last one follows."""
    gate = Gate(patience_seconds=3600)
    taken: list[bool] = []

    def run() -> None:
        with gate.alone(_no, _yes) as alone:
            taken.append(alone)

    thread = threading.Thread(target=run)
    thread.start()
    gate.give_up()
    thread.join()
    assert taken == [False]


def test_waiting_takes_place_outside(gate: Gate) -> None:
    """A request that polls lets a snapshot be taken meanwhile, and is inside again afterwards."""
    waiting, go_on, inside, end = (threading.Event() for _ in range(4))

    def poll() -> None:
        waiting.set()
        go_on.wait()

    def run() -> None:
        with gate.passage():
            outside(poll)
            inside.set()
            end.wait()

    thread = threading.Thread(target=run)
    thread.start()
    waiting.wait()
    with gate.alone(_yes, _yes) as alone:
        assert alone
    go_on.set()
    inside.wait()
    with gate.alone(_yes, _yes) as alone:
        assert not alone
    end.set()
    thread.join()


def test_waiting_without_a_gate_is_only_waiting() -> None:
    """As in an endpoint that keeps nothing."""
    waited = threading.Event()
    outside(waited.set)
    assert waited.is_set()


def test_nobody_passes_a_gate_that_is_shut(gate: Gate) -> None:
    """What would be lost is refused."""
    with gate.shut():
        pass
    with gate.passage() as is_open:
        assert not is_open


def test_only_what_changes_something_is_noted(gate: Gate) -> None:
    """Somebody who looks on causes no snapshots."""
    with gate.passage(changes=False):
        pass
    assert not gate.changed.is_set()
    with gate.passage():
        pass
    assert gate.changed.is_set()
