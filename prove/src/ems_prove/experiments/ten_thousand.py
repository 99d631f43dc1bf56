"""What 10,000 people who only look cost one process: memory of each idle connection, how fast they come, how late a
batch is when each of 10 sites gets one a second.

Each is authenticated (100 people, 100 sockets each) and subscribed to one site. Memory is what the process has more of
than before the first came, as the operating system counts it, divided by 10,000.
"""

from __future__ import annotations

from ems_prove.experiment import Outcome
from ems_prove.fanout.contest import Crowd
from ems_prove.fanout.contest import measure as run
from ems_prove.fanout.drive import Phase
from ems_prove.fanout.load import Report
from ems_prove.fanout.servers import BY_NAME, OURS
from ems_prove.lab import Lab

SITES, CLIENTS, PEOPLE = 10, 1_000, 100
CROWD = Crowd(sites=SITES, clients=CLIENTS, users=PEOPLE, sampled=CLIENTS, idle=5.0)
"""Every client is really read: otherwise nobody would answer the service's pings."""
ONE_A_SECOND = Phase(20.0, rate=float(SITES * CLIENTS))
AIM_BYTES = 20_000.0
AIM_P99 = 100.0
"""ms; a batch goes to 1,000 clients, and is read by one process after the other has written it."""


def measure(lab: Lab) -> Outcome:  # noqa: ARG001 -- no stack is needed
    return judged(run(BY_NAME[OURS], [ONE_A_SECOND], CROWD), SITES * CLIENTS)


def judged(report: Report, clients: int) -> Outcome:
    before, idle = report.resident
    each = (idle - before) / clients
    [live] = report.figures
    wrong = live.lost + live.doubled + live.gaps + live.missing + live.disconnected
    return Outcome(
        f"{clients:,} connections: {each / 1_000:.1f} kB each ({before / 1e6:.0f} MB before, {idle / 1e6:.0f} MB with "
        f"them), {report.connected:,.0f} connected, authenticated and subscribed per second; at 1 batch a second and "
        f"site p50 {live.p50:.0f} ms, p99 {live.p99:.0f} ms, server {live.busy['server']:.0%} of a core; {wrong} lost, "
        "doubled or cut off",
        f"under {AIM_BYTES / 1_000:g} kB each, p99 under {AIM_P99:g} ms, nothing lost",
        each < AIM_BYTES and live.p99 <= AIM_P99 and not wrong,
    )
