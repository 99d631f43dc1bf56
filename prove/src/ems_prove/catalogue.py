"""Every promise that is measured; `docs/evidence.md` is the same list with figures."""

from __future__ import annotations

from ems_prove.experiment import Experiment
from ems_prove.experiments import (
    access_matrix,
    access_outbox,
    audit_verify,
    command_round_trip,
    edge_keys,
    edge_kills,
    edge_memory,
    first_start,
    grid_limit,
    leased_setpoint,
    live_latency,
    nothing_lost,
    offline_day,
    poison,
    poll_throughput,
    revocation,
    schema_fuzz,
    stranger,
)

EXPERIMENTS = (
    Experiment(
        "first-start",
        "From a fresh clone and empty caches, one command ends in a live dashboard in under 5 minutes.",
        4,
        first_start.measure,
    ),
    Experiment(
        "live-latency",
        "A changed register is on the page within a quarter of a second of the device's answer.",
        7,
        live_latency.measure,
    ),
    Experiment(
        "stranger-refused",
        "A site of another organization answers as one that does not exist, on REST and WebSocket.",
        0.5,
        stranger.measure,
    ),
    Experiment(
        "access-matrix",
        "Every operation answers every role about every target as the table of the role matrix says.",
        2,
        access_matrix.measure,
    ),
    Experiment(
        "schema-fuzz",
        "Whatever is sent, by whomever, the API answers as its description says.",
        10,
        schema_fuzz.measure,
    ),
    Experiment(
        "revocation",
        "Permission removed in the admin ends the person's sockets within a second, and nobody else notices.",
        5,
        revocation.measure,
    ),
    Experiment(
        "access-outbox",
        "Access that changes while Redis is away and the worker is killed is told as soon as they are back.",
        2,
        access_outbox.measure,
    ),
    Experiment(
        "edge-keys",
        "A stolen edge key opens nothing beyond its own edge, and nothing at all a second after its revocation.",
        0.5,
        edge_keys.measure,
    ),
    Experiment(
        "audit-verify",
        "A million audit events are verified, and the one that was altered in the database is named.",
        2,
        audit_verify.measure,
    ),
    Experiment(
        "poison-set-aside",
        "A batch that cannot be understood is set aside with its reason, and the queue goes on.",
        0.5,
        poison.measure,
    ),
    Experiment(
        "nothing-lost",
        "Redis killed for 20 s and wiped, historian killed, edges killed: history equals the simulator's ledger.",
        4,
        nothing_lost.measure,
    ),
    Experiment(
        "poll-throughput",
        "Registers are read 25 times as fast as by a request for each point, 8 times on a map with holes.",
        2,
        poll_throughput.measure,
    ),
    Experiment(
        "grid-limit",
        "With Redis and Django down an edge holds a grid limit that the load goes beyond.",
        6,
        grid_limit.measure,
    ),
    Experiment(
        "command-round-trip",
        "A value that a person sets is in the device and on the page within a second; what must not be is refused.",
        4,
        command_round_trip.measure,
    ),
    Experiment(
        "leased-setpoint",
        "A setpoint with a lease gives way to the default within a cycle of its end, though Redis is dead.",
        2,
        leased_setpoint.measure,
    ),
    Experiment(
        "edge-kills",
        "Edges killed with -9 a hundred times at random moments: history equals the simulator's ledger.",
        5,
        edge_kills.measure,
    ),
    Experiment(
        "offline-day",
        "After a day without Redis at 1,000 points each 5 s all of it is sent, hundreds of times faster than it came.",
        10,
        offline_day.measure,
    ),
    Experiment(
        "edge-memory",
        "An edge with 500 points needs less than 80 MB.",
        4,
        edge_memory.measure,
    ),
)
