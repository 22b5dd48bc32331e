"""What dbt looks for: the adapter, with its credentials and macros."""

from dbt.adapters.base import AdapterPlugin

from dbt.adapters.ducklake_flight.connections import DucklakeFlightCredentials
from dbt.adapters.ducklake_flight.impl import Ducklake_FlightAdapter
from dbt.include import ducklake_flight

Plugin = AdapterPlugin(
    adapter=Ducklake_FlightAdapter,
    credentials=DucklakeFlightCredentials,
    include_path=ducklake_flight.PACKAGE_PATH,
)
