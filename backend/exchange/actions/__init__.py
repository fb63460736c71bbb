"""What is read in: the directory of a county, and the history of an older system. All of it or nothing."""

from backend.exchange.actions.deviations import import_deviations
from backend.exchange.actions.directory import import_directory

__all__ = ["import_deviations", "import_directory"]
