"""Golden messages: examples that Python and TypeScript must both read. Regenerate with `make gen`.

Built from the typed models, so a field that the contract does not declare cannot get into them; an `unknown_field_*`
file adds one by hand to prove that consumers ignore it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from ems_contract import (
    access,
    alerts,
    commands,
    control,
    edge_events,
    frames,
    points,
    processing,
    provisioning,
    telemetry,
)

NOW = 1_790_000_000_000
BOOT = "0f8c1d2e-3b4a-4c5d-8e6f-708192a3b4c5"

BATCH = telemetry.Batch(
    v=1,
    edge="edge_3",
    boot=BOOT,
    seq=42,
    sent=NOW + 12,
    readings=[
        telemetry.Reading(
            ts=NOW,
            values={"grid_meter.active_power": -1234.5, "grid_meter.energy_import": 98765432.0, "hvac.status": 2.0},
        ),
        telemetry.Reading(
            ts=NOW + 1,
            values={"pv_inverter.active_power": None, "battery.state_of_charge": 55.5},
            quality={"pv_inverter.active_power": "timeout", "battery.state_of_charge": "unsynchronised_clock"},
        ),
    ],
)
GAPS = telemetry.Batch(
    v=1,
    edge="edge_3",
    boot=BOOT,
    seq=1,
    sent=NOW,
    readings=[],
    gaps=[
        telemetry.Gap(start=NOW - 60_000, end=NOW, reason=telemetry.GAP_EDGE_DOWN),
        telemetry.Gap(
            start=NOW - 900_000,
            end=NOW - 600_000,
            reason=telemetry.GAP_BUFFER_FULL,
            boot="1f8c1d2e-3b4a-4c5d-8e6f-708192a3b4c5",
            seq_from=7,
            seq_to=306,
        ),
    ],
)
SITE = access.SiteGrant(
    site="site_7",
    name="Nordwerk Factory",
    organization=1,
    role="operator",
    actions=[access.Action.VIEW, access.Action.EXPORT_REPORTS, access.Action.ACKNOWLEDGE_ALERTS],
)
ALERT = alerts.AlertEvent(
    v=1,
    id="a-17",
    state=alerts.AlertState.RAISED,
    severity=alerts.Severity.CRITICAL,
    ts=NOW,
    rule="Grid limit",
    message="Grid import above 250 kW for 5 minutes",
    point="grid_meter.active_power",
    value=261_300.0,
)
CONTROL_EVENT = control.ControlEvent(
    v=1,
    id="c-1",
    rule="peak",
    point="battery.power_setpoint",
    action=control.ControlAction.STARTED,
    ts=NOW,
    value=12_000.0,
    input=62_000.0,
)
COMMAND_EVENT = commands.CommandEvent(
    v=1,
    id="c-9",
    point="battery.power_setpoint",
    state=commands.CommandState.VERIFIED,
    ts=NOW,
    value=-5000.0,
)
CONFIG = provisioning.EdgeConfig(
    revision="5d41402abc4b2a76",
    poll_interval=1.0,
    devices=[
        provisioning.Device(
            key="grid_meter",
            name="Grid meter",
            driver="modbus",
            profile="stl_meter",
            connection={"host": "127.0.0.1", "port": 5020, "unit": 1, "timeout": 1.5},
        )
    ],
    setpoints=[
        provisioning.SetpointLimits(point="battery.power_setpoint", minimum=-20_000.0, maximum=20_000.0, default=0.0)
    ],
    derived=[
        processing.DerivedPoint(
            key="site.load",
            name="Load",
            unit="W",
            expression="grid_meter.active_power + pv_inverter.active_power",
        )
    ],
    reporting=[processing.ReportPolicy(points=["*.temperature"], deadband=0.2, heartbeat=60.0)],
    rules=[
        control.LimitRule(
            key="peak",
            name="Peak shaving",
            point="battery.power_setpoint",
            priority=5,
            input="grid_meter.active_power",
            maximum=50_000.0,
            low=0.0,
            high=20_000.0,
            margin=2_000.0,
        ),
        control.ScheduleRule(
            key="night",
            name="Night charge",
            point="battery.power_setpoint",
            windows=[control.Window(start="02:00", end="04:00", value=-10_000.0, days=(0, 1, 2, 3, 4))],
        ),
        control.HysteresisRule(
            key="cooling",
            name="Cooling",
            point="hvac.setpoint",
            input="hvac.room_temperature",
            on_at=25.0,
            off_at=23.0,
            on_value=20.0,
        ),
    ],
)

GOLDEN: dict[str, tuple[str, Any]] = {
    "access_event": ("access_event", access.AccessEvent(v=1, user=5, epoch=12, reason="site access removed")),
    "alert_event": ("alert_event", ALERT),
    "batch": ("batch", BATCH),
    "batch_gaps": ("batch", GAPS),
    "client_auth": ("client_frame", frames.Auth(token="a.b.c")),
    "client_ping": ("client_frame", frames.Ping(id=7)),
    "client_subscribe": ("client_frame", frames.Subscribe(sites=["site_7", "site_8"])),
    "client_subscribe_interval": ("client_frame", frames.Subscribe(sites=["site_7"], interval=1_000)),
    "client_unsubscribe": ("client_frame", frames.Unsubscribe(sites=["site_8"])),
    "command": (
        "command",
        commands.Command(
            v=1,
            id="c-9",
            point="battery.power_setpoint",
            value=-5000.0,
            requested=NOW,
            expires=NOW + 30_000,
            requested_by="operator",
            lease=900,
        ),
    ),
    "command_event": ("command_event", COMMAND_EVENT),
    "edge_event_command": ("edge_event", COMMAND_EVENT),
    "edge_event_control": ("edge_event", CONTROL_EVENT),
    "edge_event_config": (
        "edge_event",
        edge_events.ConfigEvent(v=1, revision="12", ts=NOW, problem="devices[0].profile: there is no profile 'x'"),
    ),
    "edge_status": (
        "edge_status",
        edge_events.EdgeStatus(
            v=1,
            boot=BOOT,
            software="ems-edge 0.1.0",
            ts=NOW,
            revision="12",
            backlog=3,
            backlog_size=2048,
            oldest=NOW - 15_000,
            offset=-4,
            devices=[
                edge_events.DeviceHealth(key="grid_meter", points=12, good=12, answered=NOW),
                edge_events.DeviceHealth(
                    key="hvac", points=9, good=0, answered=NOW - 60_000, reason="timeout", since=NOW - 55_000
                ),
            ],
        ),
    ),
    "edge_config": ("edge_config", CONFIG),
    "grant": (
        "grant",
        access.Grant(
            user=access.GrantUser(id=5, email="bob@nordwerk.example", name="Bob"), sites=[SITE], expires=NOW + 600_000
        ),
    ),
    "points_report": (
        "points_report",
        provisioning.PointsReport(
            points=[
                points.Point(
                    key="grid_meter.active_power",
                    name="Active power",
                    unit="W",
                    kind=points.Kind.GAUGE,
                    device="grid_meter",
                ),
                points.Point(
                    key="pv_inverter.status",
                    name="Status",
                    unit="",
                    kind=points.Kind.STATE,
                    device="pv_inverter",
                    states={"0": "Off", "1": "Starting", "2": "Running", "3": "Fault"},
                ),
                points.Point(
                    key="battery.power_setpoint",
                    name="Power setpoint",
                    unit="W",
                    kind=points.Kind.GAUGE,
                    device="battery",
                    writable=True,
                    minimum=-50_000.0,
                    maximum=50_000.0,
                ),
            ]
        ),
    ),
    "server_alert": ("server_frame", frames.Alert(site="site_7", alert=ALERT)),
    "server_command": ("server_frame", frames.CommandChanged(site="site_7", command=COMMAND_EVENT)),
    "server_control": ("server_frame", frames.ControlChanged(site="site_7", control=CONTROL_EVENT)),
    "server_error": (
        "server_frame",
        frames.ErrorFrame(code=frames.ErrorCode.SITE_NOT_FOUND, message="No such site", site="site_99"),
    ),
    "server_gap": ("server_frame", frames.GapNotice(site="site_7", since=NOW - 4_000, reason="interrupted")),
    "server_grant": ("server_frame", frames.GrantChanged(expires=NOW + 300_000, stale=True, sites=[SITE])),
    "server_heartbeat": ("server_frame", frames.Heartbeat(server_time=NOW, live=False)),
    "server_pong": ("server_frame", frames.Pong(id=7, server_time=NOW)),
    "server_merged": (
        "server_frame",
        frames.Merged(
            site="site_7",
            interval=1_000,
            batches=[
                frames.MergedBatch(GAPS.edge, GAPS.boot, GAPS.seq, GAPS.seq, GAPS.sent, GAPS.readings, GAPS.gaps),
                frames.MergedBatch(BATCH.edge, BATCH.boot, BATCH.seq - 4, BATCH.seq, BATCH.sent, BATCH.readings),
            ],
        ),
    ),
    "server_snapshot": ("server_frame", frames.Snapshot(site="site_7", batches=[BATCH])),
    "server_telemetry": ("server_frame", frames.Telemetry(site="site_7", batches=[BATCH, GAPS])),
    "server_welcome": (
        "server_frame",
        frames.Welcome(session="s-1", server_time=NOW, expires=NOW + 300_000, heartbeat=5_000, sites=[SITE]),
    ),
    "session_answer": (
        "session_answer",
        provisioning.SessionAnswer(
            edge="edge_3",
            edge_name="Plant room",
            site="site_7",
            site_name="Nordwerk Factory",
            timezone="Europe/Berlin",
            redis=provisioning.RedisAccess(
                url="redis://127.0.0.1:6379/0", username="edge_3_abcd", password="not-a-real-one"
            ),
            config=CONFIG,
        ),
    ),
    "session_request": ("session_request", provisioning.SessionRequest(boot=BOOT, software="ems-edge 0.1.0")),
}


def documents() -> dict[str, dict[str, Any]]:
    """File name without `.json` -> {"message", "value"}."""
    made = {
        name: {"message": message, "value": json.loads(msgspec.json.encode(value))}
        for name, (message, value) in GOLDEN.items()
    }
    for name in ("batch", "server_telemetry", "server_welcome", "grant"):
        newer = json.loads(json.dumps(made[name]))
        newer["value"]["added_by_a_newer_producer"] = {"anything": [1, 2, 3]}
        newer["note"] = "Consumers ignore fields they do not know."
        made[f"unknown_field_{name}"] = newer
    for name in ("grant", "server_welcome"):
        newer = json.loads(json.dumps(made[name]))
        newer["value"]["sites"][0]["actions"].append("invented_by_a_newer_backend")
        newer["note"] = "An action that the reader does not know allows it nothing."
        made[f"unknown_action_{name}"] = newer
    return made


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.json"):
        stale.unlink()
    for name, document in documents().items():
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
