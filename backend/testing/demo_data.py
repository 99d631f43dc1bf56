"""The demo, as data: two organizations, four sites with the simulator's keys, and people of every role."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.policy import Role
from sites.models import Asset

NORDWERK = "Nordwerk Industries"
CAMPO = "Campo Energy"
ORGANIZATIONS = (NORDWERK, CAMPO)

Kind = Asset.Kind


@dataclass(frozen=True)
class DemoDevice:
    """`unit` is the Modbus unit id or the BACnet instance; the device hangs on an asset of this kind and name."""

    key: str
    name: str
    profile: str
    unit: int
    asset_kind: Kind
    asset: str
    driver: str = "modbus"


GRID_METER = DemoDevice("grid_meter", "Grid meter", "stl_meter", 1, Kind.GRID_CONNECTION, "Grid connection")
PV_INVERTER = DemoDevice("pv_inverter", "PV inverter", "stl_inverter", 2, Kind.SOLAR_ARRAY, "Solar array")
BATTERY = DemoDevice("battery", "Battery", "stl_battery", 3, Kind.BATTERY, "Battery storage")
LOAD_METER = DemoDevice("load_meter", "Load meter", "stl_meter", 4, Kind.LOAD, "Consumption")
HVAC = DemoDevice("hvac", "HVAC", "stl_hvac", 5, Kind.HVAC, "Heating and cooling")
AIR_HANDLER = DemoDevice("ahu", "Air handling unit", "stl_ahu", 2001, Kind.HVAC, "Heating and cooling", "bacnet")


@dataclass(frozen=True)
class DemoSite:
    """`key` is the simulator's. Sites listen on consecutive Modbus ports, in the order of `SITES`."""

    key: str
    organization: str
    name: str
    timezone: str
    latitude: float
    longitude: float
    address: str
    devices: tuple[DemoDevice, ...]
    operators_may_control: bool = False

    @property
    def slug(self) -> str:
        return self.key.replace("_", "-")


SITES = (
    DemoSite(
        key="factory",
        organization=NORDWERK,
        name="Nordwerk Factory",
        timezone="Europe/Berlin",
        latitude=52.52,
        longitude=13.40,
        address="Berlin, Germany",
        devices=(GRID_METER, PV_INVERTER, BATTERY, LOAD_METER, HVAC),
        operators_may_control=True,
    ),
    DemoSite(
        key="office",
        organization=CAMPO,
        name="Harbour Office",
        timezone="Europe/London",
        latitude=51.50,
        longitude=-0.02,
        address="London, United Kingdom",
        devices=(GRID_METER, PV_INVERTER, LOAD_METER, HVAC, AIR_HANDLER),
    ),
    DemoSite(
        key="solar_farm",
        organization=CAMPO,
        name="Campo Solar",
        timezone="Europe/Madrid",
        latitude=38.99,
        longitude=-3.37,
        address="Ciudad Real, Spain",
        devices=(GRID_METER, PV_INVERTER, BATTERY, LOAD_METER),
    ),
    DemoSite(
        key="warehouse",
        organization=NORDWERK,
        name="Lakeside Warehouse",
        timezone="America/Chicago",
        latitude=41.84,
        longitude=-87.68,
        address="Chicago, United States",
        devices=(GRID_METER, PV_INVERTER, LOAD_METER, HVAC),
    ),
)


@dataclass(frozen=True)
class DemoUser:
    """`role` is the strongest role, or developer. `roles`: site key -> role, for roles that are granted per site."""

    email: str
    name: str
    role: str
    organizations: tuple[str, ...] = ()
    roles: dict[str, Role] = field(default_factory=dict)


USERS = (
    DemoUser("admin@simtestlab.example", "Ada Admin", Role.PLATFORM_ADMIN),
    DemoUser("orgadmin@nordwerk.example", "Olga Berger", Role.ORG_ADMIN, (NORDWERK,)),
    DemoUser("manager@nordwerk.example", "Max Winter", Role.SITE_MANAGER, (NORDWERK,), {"factory": Role.SITE_MANAGER}),
    DemoUser(
        "operator@nordwerk.example",
        "Otto Lang",
        Role.OPERATOR,
        (NORDWERK,),
        {"factory": Role.OPERATOR, "warehouse": Role.OPERATOR},
    ),
    DemoUser("viewer@nordwerk.example", "Vera Klein", Role.VIEWER, (NORDWERK,), {"factory": Role.VIEWER}),
    DemoUser("orgadmin@campo.example", "Carmen Ruiz", Role.ORG_ADMIN, (CAMPO,)),
    DemoUser("viewer@campo.example", "Víctor Sanz", Role.VIEWER, (CAMPO,), {"solar_farm": Role.VIEWER}),
    DemoUser(
        "consultant@simtestlab.example",
        "Connie Both",
        Role.OPERATOR,
        (NORDWERK, CAMPO),
        {"warehouse": Role.VIEWER, "solar_farm": Role.OPERATOR},
    ),
    DemoUser("developer@simtestlab.example", "Devi Rao", "developer"),
)
