"""Recipient health: mail that bounces, addresses confirmed, and who is told last."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0010_health.sql")


def downgrade() -> None:
    _run("0010_health_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
