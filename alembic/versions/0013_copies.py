"""A flag is taken over by its branch's safety also when the case has left the branch."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0013_copies.sql")


def downgrade() -> None:
    _run("0013_copies_down.sql")


def _run(part: str) -> None:
    op.get_bind().exec_driver_sql((HERE / part).read_text("utf-8").replace("%", "%%"))
