"""A SunSpec device as registers, laid out by the models of pysunspec2 and not by the edge."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from sunspec2 import device as models
from sunspec2 import mb, mdef

from edge_support.devices import Unit

Model = tuple[int, Mapping[str, Any]]
"""(model, raw numbers of its points; a group is a list of such); what is not said is not implemented."""


def sunspec_unit(*given: Model, base: int = 40000, end: bool = True, **faults: Any) -> Unit:
    """`end`: with the end model, which some devices leave out."""
    data = b"SunS"
    for number, values in given:
        data += _model(number, values)
    data += b"\xff\xff\x00\x00" if end else b""
    words = struct.unpack(f">{len(data) // 2}H", data)
    return Unit(holding={base + at: word for at, word in enumerate(words)}, **faults)


def _model(number: int, values: Mapping[str, Any]) -> bytes:
    group = models.get_model_def(number)[mdef.GROUP]
    data = _group(group, {**values, "ID": number, "L": 0})
    return data[:2] + struct.pack(">H", len(data) // 2 - 2) + data[4:]


def _group(group: Mapping[str, Any], values: Mapping[str, Any]) -> bytes:
    data = b"".join(_point(point, values.get(point[mdef.NAME])) for point in group[mdef.POINTS])
    for inner in group.get(mdef.GROUPS, []):
        one_by_one: Sequence[Mapping[str, Any]] = values.get(inner[mdef.NAME], [{}] if mdef.COUNT not in inner else [])
        data += b"".join(_group(inner, one) for one in one_by_one)
    return data


def _point(point: Mapping[str, Any], value: Any) -> bytes:
    kind, size = point[mdef.TYPE], 2 * point[mdef.SIZE]
    data: bytes = mb.create_unimpl_value(kind, size) if value is None else mb.point_type_info[kind].to_data(value, size)
    return data


def inverter(watts: int = 4321, **faults: Any) -> Unit:
    """Common, three-phase inverter, nameplate, controls, two strings."""
    measured = {"A": 187, "A_SF": -1, "PhVphA": 2301, "V_SF": -1, "W": watts, "W_SF": 0, "Hz": 5001, "Hz_SF": -2}
    measured |= {"WH": 123456, "WH_SF": 1, "TmpCab": -52, "Tmp_SF": -1, "St": 4, "Evt1": 0, "PF": -998, "PF_SF": -1}
    strings = [{"ID": 1, "DCA": 512, "DCV": 6000, "DCW": 307}, {"ID": 2, "DCA": 498, "DCV": 5900, "DCW": 294}]
    return sunspec_unit(
        (1, {"Mn": "ACME", "Md": "Sun 10", "Vr": "1.2", "SN": "S-77", "DA": 1}),
        (103, measured),
        (120, {"DERTyp": 4, "WRtg": 100, "WRtg_SF": 2}),
        (123, {"Conn": 1, "WMaxLimPct": 10000, "WMaxLimPct_SF": -2, "WMaxLim_Ena": 0}),
        (160, {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 1, "DCWH_SF": 0, "N": 2, "module": strings}),
        **faults,
    )
