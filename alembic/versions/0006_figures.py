"""What the figures need to tell of a whole life: how it stood at any moment, and who held it until when."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0006_figures.sql")


def downgrade() -> None:
    _run("0006_figures_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
