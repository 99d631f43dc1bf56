"""The list of what the worker does. Each job is a function in the app that it belongs to."""

from __future__ import annotations

from accounts import outbox as access_outbox
from sites import outbox as edge_outbox
from worker.job import Job

JOBS: tuple[Job, ...] = (
    Job("access changes", access_outbox.Relay().run, every=1.0, listen=access_outbox.CHANNEL),
    Job("edge changes", edge_outbox.relay, every=1.0, listen=edge_outbox.CHANNEL),
)
