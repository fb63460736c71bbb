"""Who made which version of an agreement, and the yearly look at the calendar."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0008_agreements.sql")


def downgrade() -> None:
    _run("0008_agreements_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
