"""State folders for the local servers."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.embedded import remove


@pytest.fixture
def state() -> Iterator[Path]:
    """A fresh state folder, where the servers' account may pass."""
    yield from _folder()


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """One for the module: a cluster takes a second to make, and what a test leaves is the next one's beginning."""
    yield from _folder()


def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="samsvar-test-")).resolve()
    folder.chmod(0o711)
    yield folder / "state"
    remove(folder / "state")
    shutil.rmtree(folder)
