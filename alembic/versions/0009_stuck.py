"""What was given up is tried anew or dropped by a person; what was done long ago is forgotten."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0009_stuck.sql")


def downgrade() -> None:
    _run("0009_stuck_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
