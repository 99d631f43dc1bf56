"""Any story of coming, leaving, waiting and losing: who asked for fewer frames sees the site that the others see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ems_contract.telemetry import Batch, Reading, encode_batch
from ems_realtime import pace
from ems_realtime.session import Session
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from realtime_support.batches import BOOT
from realtime_support.deadline import until
from realtime_support.house import House, tick
from realtime_support.image import pictured
from realtime_support.wires import SlowWire


class SparseHouse(House):
    """Its edge reports by exception: each batch has one point of four, the image has all."""

    def __init__(self) -> None:
        super().__init__()
        self.image: dict[str, Reading] = {}

    def watching(self, session: Session) -> tuple[bool, list[int]]:
        """Whether it gets every batch of site 7, and at which intervals it gets merged ones."""
        feed = self.hub._fanout._feeds[7]
        return session in feed.watchers, [at for at, group in feed.pace.groups.items() if session in group.members]

    def publish(self, site: int = 7, *, points: int = 1) -> int:
        self.seq += 1
        key = f"point.number_{self.seq * 7 % 4}"
        reading = self.image[key] = Reading(self.seq, {key: float(self.seq)})
        image = encode_batch(Batch(1, "edge_1", BOOT, self.seq, 0, list(self.image.values())))
        self.broker.set_latest(site, "edge_1", image)
        self.broker.publish_telemetry(site, encode_batch(Batch(1, "edge_1", BOOT, self.seq, 0, [reading])))
        return self.seq


STEPS = st.lists(
    st.sampled_from(["publish"] * 4 + ["tick", "wait", "enter", "leave", "change", "interrupt", "suspend"]), max_size=40
)


@given(STEPS, st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=40)
def test_whatever_happens_everyone_sees_the_site_as_it_is_and_no_seq_is_missing_in_silence(
    steps: list[str], random: Any
) -> None:
    async def story() -> None:
        house = SparseHouse()
        await house.start()
        everyone: list[tuple[Session, SlowWire]] = []
        suspended: set[Session] = set()
        for step in steps:
            match step:
                case "publish":
                    house.publish()
                case "tick":
                    await tick()
                case "wait":
                    await asyncio.sleep(0.003)
                case "enter":
                    session, wire = house.enter(1, [7])
                    house.hub.subscribe(session, 7, random.choice([0, 1, 5]))
                    everyone.append((session, wire))
                case "change" if everyone:
                    session, _ = random.choice(everyone)
                    if session not in suspended:
                        house.hub.subscribe(session, 7, random.choice([0, 1, 5]))
                case "leave" if everyone:
                    session, _ = everyone.pop(0)
                    suspended.discard(session)
                    house.hub.remove(session)
                case "interrupt":
                    house.broker.interrupt()
                    house.publish()  # nobody hears it
                    await tick()
                    house.broker.restore()
                case "suspend" if everyone:
                    session, _ = random.choice(everyone)
                    if session in suspended:
                        house.hub.resume(session)
                    else:
                        house.hub.suspend(session)
                    suspended ^= {session}
        for session in suspended:
            house.hub.resume(session)
        house.publish()
        wanted = {("edge_1", key): (at.ts, at.values[key], None) for key, at in house.image.items()}
        for session, wire in everyone:
            await until(lambda wire=wire: pictured(wire).points == wanted, f"{session} sees the last of each point")
            assert not pictured(wire).holes
            at_once, groups = house.watching(session)
            assert at_once + len(groups) == 1, "it is served in one way"
        await house.stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "COMPANY", 0.0)
        asyncio.run(story())
