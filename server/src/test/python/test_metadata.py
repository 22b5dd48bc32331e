"""The catalog as the ADBC driver shows it."""

import pyarrow as pa
import pytest

DEPTHS = ["catalogs", "db_schemas", "tables", "all"]


@pytest.fixture
def connection(server):
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in (
            "CREATE SCHEMA IF NOT EXISTS shop",
            "CREATE SCHEMA IF NOT EXISTS shop_without_tables",
            "CREATE OR REPLACE TABLE shop.orders_1 (id BIGINT NOT NULL, price DECIMAL(9, 2), note VARCHAR)",
            "CREATE OR REPLACE TABLE shop.ordersX1 (other INT)",
            "CREATE OR REPLACE VIEW shop.cheap AS SELECT id FROM shop.orders_1 WHERE price < 10",
            "COMMENT ON COLUMN shop.orders_1.price IS 'net'",
        ):
            cursor.execute(statement)
        yield connection


def objects(connection, **filters):
    """What is found, as {catalog: {schema: {table: (type, [columns])}}}."""
    found = connection.adbc_get_objects(**filters).read_all().to_pylist()
    return {
        catalog["catalog_name"]: {
            schema["db_schema_name"]: {
                table["table_name"]: (
                    table["table_type"],
                    [column["column_name"] for column in table["table_columns"] or []],
                )
                for table in schema["db_schema_tables"] or []
            }
            for schema in catalog["catalog_db_schemas"] or []
        }
        for catalog in found
    }


def test_objects_at_every_depth(connection):
    shop = {"catalog_filter": "lake", "db_schema_filter": "shop"}
    assert objects(connection, depth="catalogs", catalog_filter="lake") == {"lake": {}}
    assert objects(connection, depth="db_schemas", **shop) == {"lake": {"shop": {}}}
    assert objects(connection, depth="tables", **shop) == {
        "lake": {
            "shop": {
                "cheap": ("VIEW", []),
                "ordersX1": ("TABLE", []),
                "orders_1": ("TABLE", []),
            }
        }
    }
    assert objects(connection, depth="all", **shop) == {
        "lake": {
            "shop": {
                "cheap": ("VIEW", ["id"]),
                "ordersX1": ("TABLE", ["other"]),
                "orders_1": ("TABLE", ["id", "price", "note"]),
            }
        }
    }


def test_schemas_without_tables_are_listed(connection):
    found = objects(connection, depth="tables", db_schema_filter="shop%")
    assert list(found["lake"]) == ["shop", "shop_without_tables"]
    assert found["lake"]["shop_without_tables"] == {}


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_catalog_that_is_not_there(connection, depth):
    assert objects(connection, depth=depth, catalog_filter="nowhere") == {}


def test_filters(connection):
    def tables(**filters):
        found = objects(connection, catalog_filter="lake", db_schema_filter="shop", **filters)
        return list(found.get("lake", {}).get("shop", {}))

    assert tables(table_name_filter="orders_1") == ["ordersX1", "orders_1"]
    assert tables(table_name_filter="ORDERS%") == ["ordersX1", "orders_1"]
    assert tables(table_types_filter=["VIEW"]) == ["cheap"]
    assert tables(table_types_filter=["VIEW", "TABLE"]) == ["cheap", "ordersX1", "orders_1"]
    assert tables(table_types_filter=["SYSTEM TABLE"]) == []
    assert tables(table_name_filter="nothing") == []
    found = objects(
        connection, catalog_filter="lake", db_schema_filter="shop", column_name_filter="pri%"
    )
    assert found["lake"]["shop"]["orders_1"] == ("TABLE", ["price"])


def test_columns_in_detail(connection):
    found = connection.adbc_get_objects(
        catalog_filter="lake", db_schema_filter="shop", table_name_filter="orders_1"
    )
    schema = found.read_all().to_pylist()[0]["catalog_db_schemas"][0]
    table = next(t for t in schema["db_schema_tables"] if t["table_name"] == "orders_1")
    number, price, note = table["table_columns"]
    assert (number["ordinal_position"], price["ordinal_position"]) == (1, 2)
    assert price["xdbc_type_name"] == "DECIMAL(9,2)"
    assert note["xdbc_type_name"] == "VARCHAR"
    assert number["xdbc_is_autoincrement"] is False
    assert (price["xdbc_scope_catalog"], price["xdbc_scope_schema"]) == ("lake", "shop")


def test_remarks_and_sizes_are_in_the_schema_of_the_table(connection):
    schema = connection.adbc_get_table_schema("orders_1", db_schema_filter="shop")
    metadata = schema.field("price").metadata
    assert metadata[b"ARROW:FLIGHT:SQL:REMARKS"] == b"net"
    assert metadata[b"ARROW:FLIGHT:SQL:PRECISION"] == b"9"
    assert metadata[b"ARROW:FLIGHT:SQL:SCALE"] == b"2"


def test_temporary_tables_belong_to_their_session(server):
    # Temporary tables live as long as a session, which this driver keeps when it may.
    option = {"adbc.flight.sql.rpc.with_cookie_middleware": "true"}
    with server.connect(db_kwargs=option) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE for_now (i INT)")
        found = objects(connection, depth="all", table_name_filter="for_now")
        assert found["temp"]["main"] == {"for_now": ("LOCAL TEMPORARY", ["i"])}
    with server.connect() as connection:
        assert "temp" not in objects(connection, depth="catalogs")


def test_table_schema(connection):
    schema = connection.adbc_get_table_schema("orders_1", db_schema_filter="shop")
    assert schema.names == ["id", "price", "note"]
    assert schema.field("price").type == pa.decimal128(9, 2)
    assert not schema.field("id").nullable
    assert schema.field("note").nullable
    with pytest.raises(Exception, match="(?i)not.?found|no table"):
        connection.adbc_get_table_schema("nothing_here")


def test_table_types(connection):
    assert connection.adbc_get_table_types() == ["LOCAL TEMPORARY", "TABLE", "VIEW"]


def test_info(connection):
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "ducklake-flight"
    assert info["vendor_arrow_version"]
    assert info["vendor_version"]
