"""Feedback counted by the hour: changes of the counts, written by triggers, and the hours they are folded into."""

# ruff: noqa: S608 - What is put into SQL here are names of this file.

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EVERY = "'00000000-0000-0000-0000-000000000000'::uuid"
# What a link says of its feedback, so that it can be counted by itself.
_COPIED = ("source_id", "occurred_at", "sentiment_label", "sentiment_score", "rating")
_KEY = "workspace_id, tag_id, source_id, hour"
_LABELS = ("negative", "neutral", "positive", "unscored")


def _counted(rows: str, tag: str, sign: int = 1) -> str:
    """What rows of feedback or feedback_tag add to the counts, or take away from them."""
    return f"""
        SELECT workspace_id, {tag} AS tag_id, source_id,
            date_trunc('hour', occurred_at, 'UTC') AS hour, sentiment_label AS label,
            {sign} AS feedback,
            {sign} * coalesce((sentiment_score * '1e9'::float8)::bigint, 0) AS score,
            CASE WHEN rating IS NULL THEN 0 ELSE {sign} END AS rated,
            {sign} * coalesce(rating, 0) AS rating
        FROM {rows}"""


def _record(changes: str) -> str:
    """Write down what changes; nothing where it comes to nothing."""
    return f"""
        INSERT INTO stats_delta ({_KEY}, label, feedback, score, rated, rating)
        SELECT {_KEY}, label, sum(feedback), sum(score), sum(rated), sum(rating)
        FROM ({changes}) AS change
        GROUP BY {_KEY}, label
        HAVING sum(feedback) <> 0 OR sum(score) <> 0 OR sum(rated) <> 0 OR sum(rating) <> 0;"""


# The counts of a link follow its feedback's. Few feedback are looked up by the key of their links, whatever the
# first ones were that this was planned for.
_FOLLOW = f"""
        UPDATE feedback_tag AS link SET {", ".join(f"{name} = added.{name}" for name in _COPIED)}
        FROM added WHERE link.feedback_id = added.id
            AND ({", ".join(f"link.{name}" for name in _COPIED)})
            IS DISTINCT FROM ({", ".join(f"added.{name}" for name in _COPIED)});"""
_PLANNED = "SET enable_hashjoin = off SET enable_mergejoin = off"


def _count_changes_of(table: str, tag: str, *, follow: str = "", planned: str = "") -> None:
    """Statement by statement, whoever writes in whatever way."""
    added, gone = _counted("added", tag), _counted("gone", tag, -1)
    new, old = "NEW TABLE AS added", "OLD TABLE AS gone"
    for event, tables, body, options in (
        ("INSERT", new, _record(added), ""),
        ("UPDATE", f"{old} {new}", _record(f"{gone} UNION ALL {added}") + follow, planned),
        ("DELETE", old, _record(gone), ""),
    ):
        name = f"earful_{table}_counted_on_{event.lower()}"
        op.execute(f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {options} AS $$
            BEGIN {body}
                RETURN NULL;
            END $$
        """)
        op.execute(
            f"CREATE TRIGGER {table}_counted_on_{event.lower()} AFTER {event} ON {table}"
            f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def _copy_feedback_to_links() -> None:
    """A new link takes over what is counted of its feedback, which nobody can change until it is committed.

    Where there is no such feedback in the workspace it takes over nothing, and is refused for that.
    """
    op.execute(f"""
        CREATE FUNCTION earful_feedback_tag_copied() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            SELECT {", ".join(_COPIED)} INTO {", ".join(f"NEW.{name}" for name in _COPIED)}
            FROM feedback WHERE id = NEW.feedback_id AND workspace_id = NEW.workspace_id FOR SHARE;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER feedback_tag_copied BEFORE INSERT OR UPDATE OF feedback_id, workspace_id
        ON feedback_tag FOR EACH ROW EXECUTE FUNCTION earful_feedback_tag_copied()
    """)


def _count_what_is_there() -> None:
    sums = {
        f"{label}{suffix}": f"coalesce(sum({of}) FILTER (WHERE {_is(label)}), 0)"
        for suffix, of in (
            ("", "feedback"),
            ("_score", "score"),
            ("_rated", "rated"),
            ("_rating", "rating"),
        )
        for label in _LABELS
        if (label, suffix) != ("unscored", "_score")
    }
    op.execute(f"""
        INSERT INTO stats_hour ({_KEY}, {", ".join(sums)})
        SELECT workspace_id, tag_id, coalesce(source_id, {_EVERY}), hour, {", ".join(sums.values())}
        FROM ({_counted("feedback", _EVERY)} UNION ALL {_counted("feedback_tag", "tag_id")}) AS counted
        GROUP BY GROUPING SETS ((workspace_id, tag_id, hour, source_id), (workspace_id, tag_id, hour))
    """)


def _is(label: str) -> str:
    return "label IS NULL" if label == "unscored" else f"label = '{label.upper()}'"


def _key() -> list[sa.Column]:
    return [
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
    ]


def _create_tables() -> None:
    op.create_table(
        "stats_hour",
        *_key(),
        *(sa.Column(label, sa.Integer(), nullable=False) for label in _LABELS),
        *(sa.Column(f"{label}_score", sa.BigInteger(), nullable=False) for label in _LABELS[:3]),
        *(sa.Column(f"{label}_rated", sa.Integer(), nullable=False) for label in _LABELS),
        *(sa.Column(f"{label}_rating", sa.Integer(), nullable=False) for label in _LABELS),
        sa.PrimaryKeyConstraint("workspace_id", "tag_id", "source_id", "hour"),
    )
    op.create_table(
        "stats_delta",
        *_key(),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("feedback", sa.Integer(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
    )
    op.create_index("stats_delta_cell_idx", "stats_delta", ["workspace_id", "tag_id", "hour"])


def upgrade() -> None:
    # Nobody writes feedback until all of it is counted and the triggers count on.
    op.execute("LOCK TABLE feedback, feedback_tag IN SHARE ROW EXCLUSIVE MODE")
    op.add_column("feedback_tag", sa.Column("source_id", sa.Uuid(), nullable=True))
    op.add_column(
        "feedback_tag", sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("feedback_tag", sa.Column("sentiment_label", sa.Text(), nullable=True))
    op.add_column("feedback_tag", sa.Column("sentiment_score", sa.Double(), nullable=True))
    op.add_column("feedback_tag", sa.Column("rating", sa.SmallInteger(), nullable=True))
    # The links of all workspaces.
    op.execute("ALTER TABLE feedback_tag NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"UPDATE feedback_tag SET {', '.join(f'{name} = feedback.{name}' for name in _COPIED)}"
        " FROM feedback WHERE feedback.id = feedback_tag.feedback_id"
    )
    op.execute("ALTER TABLE feedback_tag FORCE ROW LEVEL SECURITY")
    op.alter_column("feedback_tag", "source_id", nullable=False)
    op.alter_column("feedback_tag", "occurred_at", nullable=False)
    _create_tables()
    _count_what_is_there()
    _copy_feedback_to_links()
    _count_changes_of("feedback", _EVERY, follow=_FOLLOW, planned=_PLANNED)
    _count_changes_of("feedback_tag", "tag_id")


def downgrade() -> None:
    for table in ("feedback", "feedback_tag"):
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER {table}_counted_on_{event} ON {table}")
            op.execute(f"DROP FUNCTION earful_{table}_counted_on_{event}()")
    op.execute("DROP TRIGGER feedback_tag_copied ON feedback_tag")
    op.execute("DROP FUNCTION earful_feedback_tag_copied()")
    op.drop_table("stats_delta")
    op.drop_table("stats_hour")
    for name in reversed(_COPIED):
        op.drop_column("feedback_tag", name)
