"""The ledger of reminders, and what each person is to be told."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0007_reminders.sql")


def downgrade() -> None:
    _run("0007_reminders_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
