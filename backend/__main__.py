"""`python -m backend` is the `samsvar` command."""

from backend.cli import app

app()
