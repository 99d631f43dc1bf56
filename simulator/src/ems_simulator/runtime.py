"""One simulated site in a process: physics, devices, faults, servers and ledger, wired."""

from __future__ import annotations

import asyncio

import structlog
from pymodbus.pdu import ModbusPDU

from ems_simulator.bacnet import BacnetServer
from ems_simulator.bacnet_image import BacnetImage
from ems_simulator.clock import SimulationClock, wall_ms
from ems_simulator.devices import Answer, DeviceImage
from ems_simulator.faults import FaultKind, FaultRequest, Faults
from ems_simulator.ledger import Entry, Ledger
from ems_simulator.live import LiveSite
from ems_simulator.modbus import ModbusServer
from ems_simulator.mqtt import Broker, MqttSite
from ems_simulator.mqtt_devices import Gadget, ShellyMeter, TasmotaPlug

_log = structlog.get_logger()


class SiteRuntime:
    """Answers for one site. Everything runs in one event loop, so a read sees one instant."""

    def __init__(
        self,
        live: LiveSite,
        clock: SimulationClock,
        modbus: ModbusServer,
        ledger: Ledger,
        bacnet: BacnetServer | None = None,
    ) -> None:
        """`bacnet` where the site has such a device."""
        self.site = live.site
        self.faults = Faults()
        self.ledger = ledger
        self._clock = clock
        self._live = live
        self.devices: dict[str, DeviceImage | BacnetImage] = {}
        for device in live.site.devices:
            kind = BacnetImage if device.protocol == "bacnet" else DeviceImage
            self.devices[device.key] = kind(device, live, ledger.counters.get(device.key, 0))
        self._units = {image.device.unit: image for image in self.devices.values() if isinstance(image, DeviceImage)}
        self.modbus = modbus
        self.bacnet = bacnet
        self.mqtt: MqttSite | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def join(self, broker: Broker, ledger: Ledger) -> None:
        """Give the site its MQTT devices too. Called before `start`."""
        gadgets: list[Gadget] = [
            ShellyMeter(self.site.key, self.devices["load_meter"]),
            TasmotaPlug(self._live, self._clock.now_ms),
        ]
        self.mqtt = MqttSite(broker, gadgets, self.faults, ledger, self._brought_up, self._live.seed)

    async def start(self) -> None:
        """Listen, and let the MQTT devices speak."""
        if self.mqtt is not None:
            self.mqtt.start()
        await self.modbus.open(self)
        for image in self.devices.values():
            if isinstance(image, BacnetImage) and self.bacnet is not None:
                await self.bacnet.open(self, image)

    def close(self) -> None:
        """Stop answering and write the rest of the ledger."""
        for task in self._tasks:
            task.cancel()
        self.modbus.close()
        if self.bacnet is not None:
            self.bacnet.close()
        self.ledger.close()

    @property
    def not_ready(self) -> str | None:
        """Why the site does not do its work; a fault that was asked for is no reason."""
        if self.ledger.error is not None:
            return f"the ledger cannot be written: {self.ledger.error}"
        if not self.modbus.listening and not self.faults.link_is_cut():
            return f"Modbus port {self.modbus.port} is not open"
        return self.mqtt.not_ready if self.mqtt is not None else None

    @property
    def named(self) -> tuple[str, ...]:
        """Every device that a fault may hit."""
        return (*self.devices, *(self.mqtt.gadgets if self.mqtt is not None else ()))

    # Reads, for the servers ---------------------------------------------------------------------------------------

    def unit(self, unit: int) -> DeviceImage | None:
        """The device of this unit id, brought up to now."""
        self.advance()
        return self._units.get(unit)

    def advance(self) -> None:
        self._brought_up()

    def _brought_up(self) -> int:
        """Simulated time in ms, with the site brought up to it."""
        now = self._clock.now_ms()
        self._live.advance(now)
        return now

    def answered(self, device: DeviceImage, request: ModbusPDU, answer: Answer, at_ms: float) -> None:
        device.answered(answer, at_ms)
        self.ledger.append(
            Entry(
                t=int(at_ms),
                device=device.device.key,
                unit=device.device.unit,
                function=request.function_code,
                address=request.address,
                count=request.count,
                words=answer.words,
                reads=answer.reads,
            )
        )

    def told(self, image: BacnetImage, service: int, values: dict[str, float | None], reads: int | None) -> None:
        at = wall_ms()
        image.answered(reads, values, at)
        self.ledger.append(
            Entry(
                t=int(at),
                device=image.device.key,
                unit=image.device.unit,
                function=service,
                address=0,
                count=len(values),
                words=[],
                reads=reads,
                values=values,
            )
        )

    # Faults, for the control API ------------------------------------------------------------------------------------

    def inject(self, request: FaultRequest) -> str:
        """Start a fault now; returns its id."""
        fault = self.faults.add(request)
        if request.kind is FaultKind.COUNTER_RESET:
            self.advance()
            for key, image in self.devices.items():
                if request.device in (None, key):
                    image.reset_counters()
            if self.mqtt is not None:
                self.mqtt.reset_counters(request.device)
        self._apply_faults()
        if request.seconds is not None:
            # A moment later than the fault's own end, so that it is over when this looks.
            asyncio.get_running_loop().call_later(request.seconds + 0.001, self._apply_faults)
        _log.info("fault_started", site=self.site.key, fault=fault, **_named(request))
        return fault

    def clear_faults(self, fault: str | None = None) -> int:
        """End one fault or all; returns how many."""
        ended = self.faults.clear(fault)
        self._apply_faults()
        if ended:
            _log.info("faults_cleared", site=self.site.key, count=ended)
        return ended

    def _apply_faults(self) -> None:
        """Make the server and the images follow the faults that are active now."""
        self.advance()
        for key, image in self.devices.items():
            image.freeze(self.faults.on(FaultKind.STUCK, key) is not None)
        if self.faults.link_is_cut():
            self.modbus.cut()
        elif not self.modbus.listening:
            task = asyncio.get_running_loop().create_task(
                self.modbus.open(self, wanted=lambda: not self.faults.link_is_cut())
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _named(request: FaultRequest) -> dict[str, str | float | None]:
    return {"kind": request.kind.value, "device": request.device, "seconds": request.seconds}
