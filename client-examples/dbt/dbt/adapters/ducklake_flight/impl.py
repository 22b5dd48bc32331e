"""What of SQL differs from dbt's defaults; most of it is in the macros."""

from dbt_common.contracts.constraints import ConstraintType

from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.ducklake_flight.connections import DucklakeFlightConnectionManager
from dbt.adapters.sql import SQLAdapter


class Ducklake_FlightAdapter(SQLAdapter):  # dbt finds the module by this name, in lower case
    ConnectionManager = DucklakeFlightConnectionManager

    # A contract's columns and types are checked. DuckLake has no keys, and a table that is made of a query
    # has no other constraints.
    CONSTRAINT_SUPPORT = {kind: ConstraintSupport.NOT_SUPPORTED for kind in ConstraintType}

    @classmethod
    def date_function(cls) -> str:
        return "now()"

    @classmethod
    def convert_number_type(cls, agate_table, col_idx: int) -> str:
        import agate

        return "double" if agate_table.aggregate(agate.MaxPrecision(col_idx)) else "bigint"

    @classmethod
    def convert_integer_type(cls, agate_table, col_idx: int) -> str:
        return "bigint"

    @classmethod
    def convert_datetime_type(cls, agate_table, col_idx: int) -> str:
        return "timestamp"

    def valid_incremental_strategies(self) -> list[str]:
        return ["append", "delete+insert", "merge", "microbatch"]
