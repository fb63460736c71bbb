"""One house for all the tests that break it, since it takes some seconds to build."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.house import House, Web, wait
from tests.workers.post_office import PostOffice, opened


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # One house for all of them, so they stay together in one of xdist's workers.
    for item in items:
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.xdist_group("faults"))


@pytest.fixture(scope="session")
def building() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="samsvar-faults-")).resolve()
    folder.chmod(0o711)
    with opened(PostOffice()) as office:
        house = House(folder, office, disposable=False)  # PostgreSQL is killed here too
        house.staff(workers=2, beats=2)  # they start while the web does
        house.open()
        house.settle()
        yield house
        house.close()
    shutil.rmtree(folder)


@pytest.fixture
def house(building: House) -> Iterator[House]:
    """The house, tidied up after whatever the test did to it."""
    yield building
    building.tidy()


@pytest.fixture
def web(house: House) -> Web:
    return house.open()


@pytest.fixture(scope="session")
def case(building: House) -> str:
    """The number of a case for letters to be about."""
    number = building.open().file()
    wait(lambda: building.waiting() == 0, 60)
    building.tidy()
    return number
