"""The drawing of a film's track: to scale, of bounded size, and of nothing that is no track."""

import math
from pathlib import Path

import pytest

from recorder_sync.model import Position
from recorder_sync.previews.folder import Form, PreviewFolder, Wanted
from recorder_sync.previews.track import Track, TrackPoint, track_of
from recorder_sync.web.way import Fit, track_drawn

ONE = "a" * 13


def track(*places: tuple[float, float]) -> Track:
    points = (TrackPoint(float(n), Position(*place)) for n, place in enumerate(places))
    return Track(tuple(points), is_cut=False)


def test_a_track_is_drawn_to_scale_with_north_up() -> None:
    """A square of a thousandth of a degree, about 111 m high and at 60 degrees 56 m wide."""
    drawn = track_drawn(track((60.0, 114.0), (60.001, 114.0), (60.001, 114.001)))
    (_, x0, y0, *_), (_, x1, y1, *_), (_, x2, y2, *_) = drawn.points
    assert (x0, y1) == (x1, y2)
    assert y1 < y0
    assert x2 > x1
    assert (y0 - y1) / drawn.fit.per_m == pytest.approx(111.3, rel=0.01)
    assert (x2 - x1) / drawn.fit.per_m == pytest.approx(55.7, rel=0.01)
    assert drawn.fit.scale_px == pytest.approx(drawn.fit.scale_m * drawn.fit.per_m, abs=0.1)


def test_a_long_track_is_thinned_and_keeps_its_ends() -> None:
    places = [(38 + n / 100_000, 114 + math.sin(n / 500) / 1000) for n in range(9_999)]
    drawn = track_drawn(track(*places))
    assert drawn.count == 9_999
    assert len(drawn.points) <= 1001
    assert (drawn.points[0][0], drawn.points[-1][0]) == (0.0, 9_998.0)
    for _, x, y, *_ in drawn.points:
        assert 0 <= x <= 480
        assert 0 <= y <= 240


def test_a_device_that_stood_still_has_one_place() -> None:
    drawn = track_drawn(track((90.0, 0.0)))
    assert drawn.points[0][1:3] == (240.0, 120.0)
    assert Fit.of([Position(90.0, 0.0)]).scale_px <= 160


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no", b"[]", b"{}", b'{"points":[],"cut":false}', b'{"points":[[0,38]],"cut":false}',
        b'{"points":[[0,NaN,1]],"cut":false}', b'{"points":[[0,99,1]],"cut":false}',
        b'{"points":[["<b>",1,1]],"cut":false}', b'{"points":[[-1,1,1]],"cut":false}',
        b'{"points":7,"cut":false}', b'{"points":[[1' + b"0" * 400 + b',1,1]],"cut":false}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_promise_8_what_is_no_track_is_none(content: bytes, tmp_path: Path) -> None:
    folder = PreviewFolder(tmp_path, 1 << 20)
    folder.put(Wanted(ONE, Form.TRACK), [content])
    assert track_of(folder, ONE) is None
    folder.put(Wanted(ONE, Form.TRACK), [b'{"points":[[1.5,38.0,114.5]],"cut":true}'])
    assert track_of(folder, ONE) == Track((TrackPoint(1.5, Position(38.0, 114.5)),), is_cut=True)
