"""SQLAlchemy through the public dialect sqlalchemy-adbc."""

import datetime
import decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    born: Mapped[datetime.date | None]
    weight: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(9, 2))


PETS = Pet.__table__


@pytest.fixture
def engine(server):
    engine = sa.create_engine(f"adbc+flightsql://127.0.0.1:{server.port}?tls=false")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS pets"))
        # DuckLake has no primary keys, which create_all would ask for.
        connection.execute(
            sa.text("CREATE TABLE pets (id INT, name TEXT, born DATE, weight DECIMAL(9, 2))")
        )
    yield engine
    engine.dispose()


def test_core(engine):
    born = datetime.date(2020, 2, 29)
    with engine.begin() as connection:
        connection.execute(
            PETS.insert(),
            [
                {"id": 1, "name": "Tom", "born": born, "weight": decimal.Decimal("4.20")},
                {"id": 2, "name": None, "born": None, "weight": None},
            ],
        )
        connection.execute(PETS.update().where(PETS.c.id == 2).values(name="Ann"))
    with engine.connect() as connection:
        rows = connection.execute(sa.select(PETS).where(PETS.c.id > 0).order_by(PETS.c.id)).all()
    assert rows == [(1, "Tom", born, decimal.Decimal("4.20")), (2, "Ann", None, None)]


def test_rollback(engine):
    with engine.connect() as connection:
        connection.execute(PETS.insert().values(id=1))
        connection.rollback()
        assert connection.execute(sa.select(sa.func.count()).select_from(PETS)).scalar() == 0


def test_orm(engine):
    with Session(engine) as session:
        session.add(Pet(id=1, name="Tom"))
        session.commit()
        session.get(Pet, 1).name = "Tim"
        session.commit()
    with Session(engine) as session:
        pet = session.scalars(sa.select(Pet).where(Pet.name == "Tim")).one()
        session.delete(pet)
        session.commit()
        assert session.scalars(sa.select(Pet)).all() == []


def test_reflection(engine):
    inspector = sa.inspect(engine)
    assert "main" in inspector.get_schema_names()
    assert inspector.has_table("pets")
    table = sa.Table("pets", sa.MetaData(), autoload_with=engine)
    assert [column.name for column in table.columns] == ["id", "name", "born", "weight"]
    # The dialect (0.3.0) looks for tables of the type "table", in lower case, and finds none.
    assert inspector.get_table_names("main") == []
