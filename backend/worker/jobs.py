"""The list of what the worker does. Each job is a function in the app that it belongs to."""

from __future__ import annotations

from accounts import outbox as access_outbox
from accounts import tokens
from accounts.actions import organizations, password
from audit.seal import Sealer
from commands.actions import commands
from commands.relay import Relay as EdgeEvents
from invitations.actions import invitations
from sites import outbox as edge_outbox
from sites import removals
from telemetry import belongings as history
from testing import generated_history
from worker.job import Job

JOBS: tuple[Job, ...] = (
    Job("access changes", access_outbox.Relay().run, every=1.0, listen=access_outbox.CHANNEL),
    Job("edge changes", edge_outbox.relay, every=1.0, listen=edge_outbox.CHANNEL),
    Job("edge events", EdgeEvents().run, every=0.0),  # waits in Redis
    Job("commands left to send", commands.send_left, every=1.0),
    Job("commands to expire", commands.expire, every=1.0),
    Job("old control events", commands.sweep, every=3600.0),
    Job("audit log to seal", Sealer().run, every=1.0),
    Job("password resets", password.send_links, every=30.0, listen=password.CHANNEL),
    Job("old sessions", tokens.sweep, every=3600.0),
    Job("invitations to send", invitations.send, every=30.0, listen=invitations.CHANNEL),
    Job("old invitations", invitations.sweep, every=3600.0),
    Job("organizations to delete", organizations.delete_due, every=60.0),
    Job("history of sandboxes", generated_history.send, every=1.0, listen=generated_history.CHANNEL),
    Job("history of deleted sites", history.remove_history, every=10.0, listen=removals.CHANNEL),
)
