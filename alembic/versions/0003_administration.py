"""Administration: invitations, substitutes, telephones, and what a reorganisation leaves behind."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0003_administration.sql")


def downgrade() -> None:
    _run("0003_administration_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
