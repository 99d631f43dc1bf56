"""The oracle must see every kind of fault; an oracle that cannot fail proves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ems_prove.experiment import percentile
from ems_prove.ledger import Answer, Span, compare, read_ledger
from ems_simulator.codec import encode
from ems_simulator.registers import register_map
from hypothesis import given
from hypothesis import strategies as st

Samples = dict[str, list[tuple[int, float | None]]]


def answers(count: int) -> list[Answer]:
    return [
        Answer(1000.0 * n, "meter", n, {"meter.power": n * 1.5, "meter.reads": float(n)}) for n in range(1, count + 1)
    ]


def history_of(told: list[Answer]) -> Samples:
    return {
        key: [(int(answer.at) + 3, answer.values[key]) for answer in told] for key in ("meter.power", "meter.reads")
    }


def test_a_history_that_equals_the_ledger_is_clean() -> None:
    verdict = compare(answers(5), history_of(answers(5)), [])
    assert verdict.clean
    assert (verdict.answered, verdict.found) == (5, 5)


def test_an_empty_ledger_is_never_clean() -> None:
    assert not compare([], {}, []).clean


@given(st.integers(1, 20), st.data())
def test_a_missing_answer_is_lost_unless_a_recorded_gap_covers_it(count: int, data: st.DataObject) -> None:
    told = answers(count)
    missing = data.draw(st.sampled_from(told))
    history = history_of([answer for answer in told if answer is not missing])
    assert compare(told, history, []).lost == [missing]
    covered = compare(told, history, [Span(missing.at - 1, missing.at + 1, "edge_down")])
    assert covered.clean
    assert covered.in_gaps == 1
    elsewhere = compare(told, history, [Span(missing.at + 10, missing.at + 20, "edge_down")])
    assert elsewhere.lost == [missing]


def test_a_sample_held_twice_is_a_duplicate() -> None:
    history = history_of(answers(3))
    history["meter.reads"].append((9_000, 2.0))
    assert compare(answers(3), history, []).duplicated == [("meter", 2)]


def test_a_sample_that_no_device_answered_is_invented() -> None:
    history = history_of(answers(3))
    history["meter.reads"].append((9_000, 77.0))
    assert compare(answers(3), history, []).invented == [("meter", 77)]


@pytest.mark.parametrize("stored", [4.4, None])
def test_a_value_that_differs_is_wrong(stored: float | None) -> None:
    history = history_of(answers(3))
    history["meter.power"][1] = (history["meter.power"][1][0], stored)
    assert compare(answers(3), history, []).wrong == [("meter.power", 2, 3.0, stored)]


def test_a_value_missing_at_the_time_of_its_answer_is_wrong() -> None:
    history = history_of(answers(3))
    del history["meter.power"][1]
    assert compare(answers(3), history, []).wrong == [("meter.power", 2, 3.0, None)]


def test_the_ledger_decodes_words_by_the_devices_own_map(tmp_path: Path) -> None:
    found = register_map("stl_battery")
    bank = found.banks[0]
    values: dict[str, float] = {point.name: 12.0 for point in bank.points}
    words = [word for point in bank.points for word in encode(point, values[point.name], found.word_order)]
    entry = {
        "t": 5,
        "device": "battery",
        "unit": 3,
        "function": 3,
        "address": 0,
        "count": bank.size,
        "words": words,
        "reads": 12,
    }
    file = tmp_path / "factory.ndjson"
    file.write_text(json.dumps(entry) + "\n" + json.dumps({**entry, "reads": None}) + "\n" + '{"t": 6, "dev')
    (answer,) = read_ledger(file, {"battery": "stl_battery"})
    assert answer == Answer(5, "battery", 12, {f"battery.{name}": value for name, value in values.items()})


def test_what_a_device_told_while_it_answered_is_as_good_as_the_answer(tmp_path: Path) -> None:
    def line(t: int, function: int, **values: float) -> str:
        entry = {"t": t, "device": "ahu", "unit": 1, "function": function, "address": 0, "count": 1, "words": []}
        return json.dumps({**entry, "reads": values.get("reads"), "values": values}) + "\n"

    lines = line(5_000, 1, fan=41.0), line(9_900, 1, fan=42.0), line(10_000, 14, fan=40.0, reads=7)
    file = tmp_path / "office.ndjson"
    file.write_text("".join(lines))
    told = read_ledger(file, {"ahu": "stl_ahu"})

    def wrong(stored: float) -> int:
        history: Samples = {"ahu.fan": [(10_003, stored)], "ahu.reads": [(10_003, 7.0)]}
        return len(compare(told, history, []).wrong)

    assert [wrong(stored) for stored in (40.0, 41.0, 42.0, 43.0)] == [0, 1, 0, 1]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([5.0, 1.0, 3.0], 0.99) == 5.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)
