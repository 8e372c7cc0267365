"""The web service of a station of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.conftest import Dock
from tests.web.served import Service


@pytest.fixture
def service(dock: Dock) -> Iterator[Service]:
    served = Service(dock)
    served.configure()
    with served:
        yield served
