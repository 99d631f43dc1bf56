"""The list of what the worker does. Each job is a function in the app that it belongs to."""

from __future__ import annotations

from accounts import outbox
from worker.job import Job

JOBS: tuple[Job, ...] = (
    Job("access changes", outbox.Relay().run, every=1.0, listen=outbox.CHANNEL),
)
