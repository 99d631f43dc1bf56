"""Whatever happens, every sample since the first snapshot is yielded once or lies in a hole.

The oracle is a ledger of what edges published. Between them and the client, batches get lost with and without a word,
the service falls silent, the link breaks, the program is slow, edges restart.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from client_support import frames
from client_support.frames import SERVER_TIME
from ems_client import Hole, Merged, Snapshot, Telemetry
from ems_client.link import Link
from ems_contract.telemetry import Batch
from hypothesis import given
from hypothesis import strategies as st

SITE = "site_7"
EDGES = ("edge_1", "edge_2")


class World:
    """Two edges, the service and one client. `ledger`: edge -> the time of every batch that was published."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.clock = SERVER_TIME
        self.steady = 0.0
        self.ledger: dict[str, list[Batch]] = {edge: [] for edge in EDGES}
        self.images: dict[str, Batch] = {}
        self.boots = dict.fromkeys(EDGES, 0)
        self.pending: list[Batch] = []
        self.deaf = False
        self.link = Link(fixed_token=False, random=lambda: 0.5, now=0.0, now_ms=SERVER_TIME)
        self.link.subscribe([SITE], interval, 0.0)
        self.events: list[object] = []
        self.connect()

    # Edges

    def publish(self, edge: str, *, lost: bool = False) -> None:
        self.clock += 1000
        before = self.ledger[edge][-1:]
        boot = str(UUID(int=EDGES.index(edge) * 1000 + self.boots[edge]))
        seq = before[0].seq + 1 if before and before[0].boot == boot else 1
        batch = frames.batch(seq, self.clock, edge=edge, boot=boot)
        self.ledger[edge].append(batch)
        self.images[edge] = batch
        if not lost and not self.deaf:
            self.pending.append(batch)

    def restart(self, edge: str) -> None:
        self.boots[edge] += 1

    # The service

    def hear(self, text: str, *, room: bool = True) -> None:
        self.steady += 0.5
        self.link.received(text, self.steady, room=room)
        self.events += self.link.events()
        self.answer()

    def answer(self) -> None:
        for said in self.link.to_send():
            if '"subscribe"' in said and not self.deaf:
                self.pending.clear()
                self.hear(frames.snapshot(SITE, list(self.images.values())))

    def catch_up(self) -> None:
        self.steady += 2
        self.link.caught_up(self.steady)
        self.answer()

    def flush(self, *, room: bool = True) -> None:
        batches, self.pending = self.pending, []
        if not batches:
            return
        if not self.interval:
            self.hear(frames.telemetry(SITE, *batches), room=room)
            return
        ranges: list[list[Batch]] = []
        for batch in sorted(batches, key=lambda one: (one.edge, one.sent)):
            last = ranges[-1][-1] if ranges else None
            if last and (last.edge, last.boot, last.seq + 1) == (batch.edge, batch.boot, batch.seq):
                ranges[-1].append(batch)
            else:
                ranges.append([batch])
        merged = [
            frames.merged(one[0].seq, one[-1].seq, one[-1].sent, edge=one[0].edge, boot=one[0].boot) for one in ranges
        ]
        self.hear(frames.merged_frame(SITE, *merged), room=room)

    def interrupt(self) -> None:
        """The service was not heard by Redis, or not heard by us: a gap, then a snapshot."""
        self.pending.clear()
        self.hear(frames.gap(SITE, self.clock - 10_000))
        self.hear(frames.snapshot(SITE, list(self.images.values())))

    # The link

    def connect(self) -> None:
        self.deaf = False
        self.link.connecting(self.steady)
        self.link.opened("secret", self.steady)
        self.link.to_send()
        self.hear(frames.welcome(SITE))

    def disconnect(self) -> None:
        self.deaf = True
        self.pending.clear()
        self.link.closed(1006, "", self.steady)
        self.events += self.link.events()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            "publish publish publish lose flush restart interrupt slow caught_up disconnect connect".split(),
        ),
        st.sampled_from(EDGES),
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from([0, 1000]))
def test_every_sample_is_yielded_once_or_lies_in_a_hole(steps: list[tuple[str, str]], interval: int) -> None:
    world = World(interval)
    for edge in EDGES:
        world.publish(edge)
    world.flush()
    for step, edge in steps:
        match step:
            case "publish":
                world.publish(edge)
            case "lose":
                world.publish(edge, lost=True)
            case "restart":
                world.restart(edge)
            case "disconnect" if not world.deaf:
                world.disconnect()
            case "connect" if world.deaf:
                world.connect()
            case "flush" if not world.deaf:
                world.flush()
            case "interrupt" if not world.deaf:
                world.interrupt()
            case "slow" if not world.deaf:
                world.publish(edge)
                world.flush(room=False)
            case "caught_up" if not world.deaf:
                world.catch_up()
            case _:
                pass
    if world.deaf:
        world.connect()
    world.catch_up()
    for edge in EDGES:
        world.publish(edge)  # whatever was lost without a word shows now
    world.flush()
    check(world)


def check(world: World) -> None:
    live = Counter(
        (batch.edge, batch.boot, batch.seq)
        for event in world.events
        if isinstance(event, Telemetry)
        for batch in event.batches
    )
    assert max(live.values(), default=1) == 1, "a batch was yielded twice"
    seen = set(live)
    for event in world.events:
        if isinstance(event, Snapshot):
            seen |= {(batch.edge, batch.boot, batch.seq) for batch in event.batches}
        elif isinstance(event, Merged):
            seen |= {
                (batch.edge, batch.boot, seq)
                for batch in event.batches
                for seq in range(batch.seq_from, batch.seq_to + 1)
            }
    holes = [event for event in world.events if isinstance(event, Hole)]
    for edge, batches in world.ledger.items():
        for batch in batches:
            covered = any(hole.edge == edge and hole.start <= batch.sent <= hole.end for hole in holes)
            assert (edge, batch.boot, batch.seq) in seen or covered, f"{batch} was neither seen nor in a hole"


@given(st.lists(st.tuples(st.sampled_from(["publish", "flush", "disconnect"]), st.sampled_from(EDGES))))
def test_where_nothing_was_missed_there_is_no_hole(steps: list[tuple[str, str]]) -> None:
    world = World(0)
    for edge in EDGES:
        world.publish(edge)
    for step, edge in steps:
        if step == "publish":
            world.publish(edge)
        else:
            world.flush()
        if step == "disconnect":
            world.disconnect()
            world.connect()
    world.flush()
    assert not any(isinstance(event, Hole) for event in world.events)
