"""The foundation: directory, accounts, agreements, deviations, outbox, access log, and the walls between branches."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

# SQL files, so that a table and the wall around it can be read as what they are.
HERE = Path(__file__).parent


def upgrade() -> None:
    for part in ("0001_tables.sql", "0001_walls.sql"):
        op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    tables = (
        "event_actors, answer_actions, sides, handovers, events, answers, deviations, assignments, units, drafts, branches, steering_documents, snapshots, "
        "sessions, passwords, organisations, groups, categories, agreements, people, outbox, login_failures, counties, caught_mails, audit_log"
    )
    op.get_bind().exec_driver_sql(f"drop table {tables}; drop function deviation_visible_branches()")
