"""Calendars by a secret address, and what is waited for in an index of its own."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0011_calendars.sql")


def downgrade() -> None:
    _run("0011_calendars_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
