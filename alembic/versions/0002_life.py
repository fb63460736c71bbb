"""The whole life of a deviation: questions, proposals, sealed copies, masks, notes, flags, links."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0002_life.sql")
    _run("0002_walls.sql")


def downgrade() -> None:
    _run("0002_life_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
