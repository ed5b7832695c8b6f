"""The tables of what is counted: hours, and the changes that triggers write and that are not yet folded into them.

A cell is one hour (UTC) of a workspace's feedback: from one source or, under EVERY, from all of them; with one tag or,
under EVERY, with any or none. What there is of a cell is its row in the one table and the rows of the other that are
of its sources, so one statement that reads both is exact at any moment. Scores are added up in billionths, as integers,
so that what is taken away again leaves nothing.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    case,
    func,
    literal_column,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, table

# In the place of a tag or a source.
EVERY = UUID(int=0)
NO_ID: ColumnElement[UUID] = literal_column(f"'{EVERY}'", Uuid())
SENTIMENTS = ("negative", "neutral", "positive")
LABELS = (*SENTIMENTS, "unscored")
_ZERO: ColumnElement[int] = literal_column("0")
_UNITS: ColumnElement[float] = literal_column("'1e9'::float8")


class StatsHour(SQLModel, table=True):
    """What was said within an hour. No foreign keys: what is gone was taken away from the counts as well."""

    __tablename__ = "stats_hour"

    workspace_id: UUID = Field(primary_key=True)
    tag_id: UUID = Field(primary_key=True)
    source_id: UUID = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=TIMESTAMP)
    negative: int
    neutral: int
    positive: int
    unscored: int
    negative_score: int = Field(sa_type=BigInteger)
    neutral_score: int = Field(sa_type=BigInteger)
    positive_score: int = Field(sa_type=BigInteger)
    negative_rated: int
    neutral_rated: int
    positive_rated: int
    unscored_rated: int
    negative_rating: int
    neutral_rating: int
    positive_rating: int
    unscored_rating: int


# It has no key: rows are only ever added and taken away. Their sources are real ones.
DELTA = Table(
    "stats_delta",
    SQLModel.metadata,
    Column("workspace_id", Uuid, nullable=False),
    Column("tag_id", Uuid, nullable=False),
    Column("hour", TIMESTAMP, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("label", Text),
    Column("feedback", Integer, nullable=False),
    Column("score", BigInteger, nullable=False),
    Column("rated", Integer, nullable=False),
    Column("rating", Integer, nullable=False),
    Index("stats_delta_cell_idx", "workspace_id", "tag_id", "hour"),
)
KEY = tuple(column.name for column in table(StatsHour).primary_key)
MEASURES = tuple(column.name for column in table(StatsHour).c if not column.primary_key)


def is_labelled(label: ColumnElement[Any], as_: str) -> ColumnElement[bool]:
    """Whether a column of sentiments says one of LABELS."""
    return label.is_(None) if as_ == "unscored" else label == literal_column(f"'{as_.upper()}'")


def units(score: ColumnElement[Any]) -> ColumnElement[int]:
    """A score in billionths."""
    return sql_cast(score * _UNITS, BigInteger)


def mean_score(score: ColumnElement[Any], scored: ColumnElement[Any]) -> ColumnElement[Any]:
    """The mean of scores whose sum is in billionths."""
    return sql_cast(score, Double) / (sql_cast(func.nullif(scored, _ZERO), Double) * _UNITS)


def mean_rating(rating: ColumnElement[Any], rated: ColumnElement[Any]) -> ColumnElement[Any]:
    return sql_cast(rating, Double) / sql_cast(func.nullif(rated, _ZERO), Double)


def where_true(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value, or 0 where the condition is not met."""
    return case((condition, value), else_=_ZERO)
