"""Who had been given what was masked, and may see what it was also when the case has left them."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0012_masks.sql")


def downgrade() -> None:
    _run("0012_masks_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
