"""A source that hangs or fails costs only its own answer (promise 9)."""

from threading import Event

import pytest

from recorder_sync.dock.asking import Asking


def _fail(error: Exception) -> int:
    raise error


def test_an_answer_comes_back() -> None:
    assert Asking("source", 60, lambda: 83).answer() == 83


def test_a_source_that_hangs_is_given_up_at_its_limit() -> None:
    released = Event()
    try:
        assert Asking("source", 0.05, released.wait).answer() is None
    finally:
        released.set()


@pytest.mark.parametrize("error", [OSError(5, "I/O error"), ValueError("rubbish")])
def test_a_source_that_fails_has_no_answer(error: Exception) -> None:
    assert Asking("source", 60, lambda: _fail(error)).answer() is None


def test_a_mistake_of_ours_in_one_source_does_not_stop_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = Event()
    monkeypatch.setattr("threading.excepthook", lambda _: shown.set())
    assert Asking("source", 60, lambda: _fail(TypeError("a mistake"))).answer() is None
    assert shown.wait(10), "nobody was told of the mistake"
