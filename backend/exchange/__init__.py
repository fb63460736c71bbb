"""What comes in from other systems, and what goes out to them."""

from pathlib import Path

COUNTIES = Path(__file__).with_name("counties")
"""A folder per county with the files of its directory, and history to try out with."""
