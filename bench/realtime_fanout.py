"""Live fan-out of the same batches by our service and by what others use, taking turns on one core: ratios first.

1,000 clients on 10 sites, each through its server's own protocol; batches of 250 bytes, then of 20 kB. Ours with every
access check, gaps and metrics on, the others with none. A delivery is one published batch received whole by one client.
`README.md` says how that is measured. A server that is not installed is skipped by name.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from ems_prove.fanout.contest import Crowd, measure
from ems_prove.fanout.drive import Figures, Phase
from ems_prove.fanout.machine import described, has_epoll
from ems_prove.fanout.servers import BY_NAME, CONTESTANTS, FIREHOSE, NATS, OURS
from ems_stack.peers import NoPeerError

ROUNDS = 3
"""Of ours and NATS, in turns; everyone else is measured once."""
CAPACITY = Phase(3.0)
HALF = Phase(3.0, share=0.5, warm_up=0.5)
MANY, FEW = 2_000_000.0, 10_000.0
LARGE = 20_000


@dataclass
class Entry:
    """One server: its capacity in each turn, and its figures at half of it, of the first turn."""

    capacity: list[Figures] = field(default_factory=list)
    half: list[Figures] = field(default_factory=list)

    @property
    def phases(self) -> list[Phase]:
        return [CAPACITY] if self.half else [CAPACITY, HALF]

    def add(self, figures: Sequence[Figures]) -> None:
        self.capacity.append(figures[0])
        self.half.extend(figures[1:])

    @property
    def deliveries(self) -> float:
        return statistics.median(one.deliveries for one in self.capacity)

    @property
    def per_cpu(self) -> float:
        return statistics.median(one.per_cpu for one in self.capacity)


def main() -> None:
    if not has_epoll():
        sys.exit("the fan-out bench needs Linux: its load waits for a thousand sockets with epoll")
    skipped: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    for name in _turns():
        if name not in skipped:
            entry = entries.get(name, Entry())
            try:
                entry.add(measure(BY_NAME[name], entry.phases).figures)
                entries[name] = entry
            except NoPeerError as error:
                skipped[name] = str(error)
    _table(entries)
    _ours_at(MANY, FEW)
    _large(NATS not in skipped)
    _ceiling()
    for name, reason in skipped.items():
        print(f"  skipped: {name}: {reason}")


def _turns() -> list[str]:
    others = [one.name for one in CONTESTANTS if one.name not in (OURS, NATS)]
    return [OURS, NATS, *others, *((NATS, OURS, OURS, NATS)[: 2 * (ROUNDS - 1)])]


def _table(entries: dict[str, Entry]) -> None:
    print(f"live fan-out, 1,000 clients on 10 sites, batches of 250 bytes; {described()}")
    print("  ours : it  server      deliveries/s  per CPU second   at half of that: p50      p99   busy: server  load")
    ours = entries[OURS].deliveries
    for name, entry in sorted(entries.items(), key=lambda item: -item[1].deliveries):
        half, busy = entry.half[0], entry.capacity[0].busy
        ratio = "" if name == OURS else f"{ours / entry.deliveries:.1f} x"
        speed = f"{entry.deliveries:>13,.0f} {entry.per_cpu:>15,.0f}"
        late = f"{half.p50:>19.1f} ms {half.p99:>5.0f} ms"
        shares = f"{busy['server']:>13.0%} {busy['load']:>5.0%}"
        print(f"  {ratio:>9}  {name:<10} {speed} {late} {shares}{_faults([*entry.capacity, *entry.half])}")
    if NATS in entries:  # each turn of the one stands beside a turn of the other
        _turn_by_turn(entries[OURS].capacity, entries[NATS].capacity)


def _turn_by_turn(ours: Sequence[Figures], nats: Sequence[Figures]) -> None:
    ratios = [mine.deliveries / theirs.deliveries for mine, theirs in zip(ours, nats, strict=True)]
    per_cpu = statistics.median(mine.per_cpu / theirs.per_cpu for mine, theirs in zip(ours, nats, strict=True))
    turns = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    print(
        f"  ours : NATS, median of {ROUNDS} turns   {statistics.median(ratios):.1f} x  (turns: {turns}); "
        f"{per_cpu:.1f} x per CPU second"
    )


def _faults(figures: Sequence[Figures]) -> str:
    """What went wrong with whom, if anything did."""
    told = {
        "missing": sum(one.missing for one in figures),
        "lost": sum(one.lost for one in figures),
        "twice": sum(one.doubled for one in figures),
        "gaps": sum(one.gaps for one in figures),
        "cut off": sum(one.disconnected for one in figures),
    }
    return "".join(f"   {name}: {count:,}" for name, count in told.items() if count)


def _ours_at(*rates: float) -> None:
    for rate in rates:
        found = measure(BY_NAME[OURS], [Phase(3.0, rate)]).figures[0]
        kept_up = "" if found.kept_up else f"  (did not keep up: {found.deliveries:,.0f}/s)"
        print(f"  ours at {rate:>9,.0f}/s   p50 {found.p50:.1f} ms, p99 {found.p99:.0f} ms{kept_up}{_faults([found])}")


def _large(with_nats: bool) -> None:
    crowd = Crowd(size=LARGE, sampled=1)
    found = {
        name: measure(BY_NAME[name], [CAPACITY], crowd).figures[0] for name in ((OURS, NATS) if with_nats else (OURS,))
    }
    ratio = f"ours : NATS {found[OURS].bytes / found[NATS].bytes:.1f} x, " if with_nats else ""
    told = ", ".join(f"{name} {one.bytes / 1e6:,.0f} MB/s" for name, one in found.items())
    print(f"  batches of 20 kB   {ratio}{told}{_faults(list(found.values()))}")


def _ceiling() -> None:
    found = measure(FIREHOSE, [Phase(2.0, rate=0.0)], Crowd(sampled=0)).figures[0]
    told = f"{found.deliveries:,.0f} deliveries/s, {found.bytes / 1e6:,.0f} MB/s"
    print(f"  the load itself takes, from {FIREHOSE.name}: {told}, with {found.busy['load']:.0%} of its core")


if __name__ == "__main__":
    main()
