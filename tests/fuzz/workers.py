"""Cases run by processes of their own, which may hang or die without ending the run."""

import multiprocessing
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tests.fuzz.cases import case
from tests.fuzz.verdicts import Verdict, spare_repeated_work, verdict

_MOST_BYTES = 6 * 2**30
"""Addresses that a worker may have: whoever asks for all memory must not take the machine."""
_PATIENCE = 120.0
"""Seconds without an answer after which a worker is taken for dead, on a machine that is busy."""

_PROCESSES = multiprocessing.get_context("fork")
"""Forked, so that what is imported by then is not imported anew."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    number: int | None = None
    since: float = 0.0


def verdicts(numbers: Iterable[int], base: int, workers: int) -> Iterator[Verdict]:
    """What comes of the cases, as soon as each is done.

    Parameters
    ----------
    numbers : of the cases.
    base : the number that tells one run from another.
    workers : how many processes run them.
    """
    waiting = iter(numbers)
    busy = [_started(base) for _ in range(workers)]
    try:
        for worker in list(busy):
            _give(worker, waiting, busy)
        while busy:
            yield from _answers(busy, waiting, base)
    finally:
        for worker in busy:
            worker.process.kill()


def _answers(busy: list[_Worker], waiting: Iterator[int], base: int) -> Iterator[Verdict]:
    ready = wait([worker.pipe for worker in busy], timeout=1.0)
    for worker in list(busy):
        assert worker.number is not None
        if worker.pipe in ready:
            try:
                found: Verdict = worker.pipe.recv()
            except EOFError:
                found = _ended(worker, "the process died")
                _renew(worker, base)
        elif time.monotonic() - worker.since > _PATIENCE:
            found = _ended(worker, f"hung for {_PATIENCE:g} s, deaf to the alarm")
            _renew(worker, base)
        else:
            continue
        yield found
        _give(worker, waiting, busy)


def _ended(worker: _Worker, fault: str) -> Verdict:
    worker.process.kill()
    worker.process.join()
    assert worker.number is not None
    return Verdict(worker.number, time.monotonic() - worker.since, 0.0, None, "", fault)


def _started(base: int) -> _Worker:
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_work, args=(theirs, base), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _renew(worker: _Worker, base: int) -> None:
    new = _started(base)
    worker.process, worker.pipe = new.process, new.pipe


def _give(worker: _Worker, waiting: Iterator[int], busy: list[_Worker]) -> None:
    worker.number = next(waiting, None)
    worker.since = time.monotonic()
    if worker.number is None:
        busy.remove(worker)
        worker.pipe.close()
    else:
        worker.pipe.send(worker.number)


def _work(pipe: Connection, base: int) -> None:
    # Here, since it changes the modules of this process.
    spare_repeated_work()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    with suppress(EOFError):
        while True:
            pipe.send(verdict(case(pipe.recv(), base)))
