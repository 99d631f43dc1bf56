"""The worker's main loop: every job in a thread of its own; one that fails is told, and begins again after a pause.

A fault of one job, whatever it is, ends that job's thread and nothing else.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from worker.job import Job
from worker.status import Status
from worker.turns import take_turns

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
TICK = 0.2


class Supervisor:
    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = {job.name: job for job in jobs}
        if len(self._jobs) != len(jobs):
            raise ValueError("two jobs have the same name")
        self.status = Status(self._jobs)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until `stopping` is set and every turn that was under way has ended."""
        due = dict.fromkeys(self._jobs, 0.0)
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(len(self._jobs), thread_name_prefix="job") as pool:
            while not self.stopping.is_set():
                for name in [name for name, at in due.items() if at <= time.monotonic()]:
                    del due[name]
                    running[pool.submit(take_turns, self._jobs[name], self.status, self.stopping)] = name
                if not running:
                    self.stopping.wait(TICK)
                    continue
                ended, _ = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
                for future in ended:
                    name = running.pop(future)
                    due[name] = time.monotonic() + self._pause(name, future.exception())

    def _pause(self, name: str, error: BaseException | None) -> float:
        """s until the job is tried again."""
        if error is None:
            return FIRST_PAUSE
        failures = self.status.fail(name, error)
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10))
        return random.uniform(longest / 2, longest)  # noqa: S311 -- jitter is no secret
