"""Whoever reads of a finding is told what it means and what to do."""

import pytest

from recorder_sync.inspection.advice import advice
from recorder_sync.inspection.findings import FindingKind


@pytest.mark.parametrize("kind", FindingKind)
def test_every_kind_of_finding_is_explained(kind: FindingKind) -> None:
    meaning, to_do = advice(kind)
    assert meaning.english
    assert to_do.english
