"""No kind of alert is without a test that raises and resolves it."""

from recorder_sync.model import AlertKind
from tests.alert_kinds import NO_FACTS_YET, marked


def test_every_kind_of_alert_has_a_test_that_raises_and_resolves_it() -> None:
    found = set(marked())
    assert found == set(AlertKind) - set(NO_FACTS_YET)
