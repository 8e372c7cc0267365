"""Versions of programs are ordered as the distribution orders them."""

import shutil
import subprocess
from itertools import pairwise

import pytest

from recorder_sync.rules.versions import is_newer

_IN_ORDER = [
    "4.4.2-0ubuntu0.22.04.1",
    "4.4.2-0ubuntu0.22.04.10",
    "5.1.8~rc1-1",
    "5.1.8-1",
    "5.1.9~rc1-1",
    "5.1.9",
    "5.1.9-0+deb12u1",
    "5.1.9-0+deb12u2",
    "5.1.9-1~bpo12+1",
    "5.1.9-1",
    "5.1.9a-1",
    "5.1.9+dfsg-1",
    "5.1.10-0+deb12u1",
    "6.1.1-3ubuntu5",
    "6.1.1-3ubuntu5.1",
    "7.1",
    "7.1+dfsg-1",
    "7.1.1-1",
    "10.0-0",
]
_PAIRS = list(pairwise(_IN_ORDER))


@pytest.mark.parametrize(("older", "newer"), _PAIRS)
def test_a_later_version_is_newer_and_not_the_other_way_round(older: str, newer: str) -> None:
    assert is_newer(newer, older)
    assert not is_newer(older, newer)
    assert not is_newer(older, older)


@pytest.mark.parametrize(("older", "newer"), _PAIRS)
def test_dpkg_says_so_too(older: str, newer: str) -> None:
    if shutil.which("dpkg") is None:
        pytest.skip("no dpkg here")
    subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)


def test_the_same_source_built_once_more_is_not_newer() -> None:
    assert not is_newer("7.1.1-1+b2", "7.1.1-1")
    assert is_newer("7.1.1-2", "7.1.1-1+b2")


@pytest.mark.parametrize("other", ["N-12345-gabcdef", "git-2020-01-01", ""])
def test_what_has_no_order_is_neither_newer_nor_older(other: str) -> None:
    assert not is_newer(other, "5.1.9")
    assert not is_newer("5.1.9", other)
