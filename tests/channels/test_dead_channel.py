"""A channel that tells nobody is an alert on the others, and ends when it works again."""

from datetime import timedelta

import pytest

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.model import AlertKind
from recorder_sync.timestamps import iso
from recorder_sync.watching.tick import tick
from tests.channels.conftest import Post, Webs, matter, ok, status
from tests.ingest.aftermath import until


def about_channels(post: Post) -> list[RecordedAlert]:
    kinds = {AlertKind.CHANNEL_DEAD, AlertKind.MESSAGE_GIVEN_UP}
    return [one for one in alerts.live(post.station.catalogue) if one.kind in kinds]


@pytest.mark.raises_and_resolves(AlertKind.CHANNEL_DEAD)
def test_a_dead_channel_is_told_on_the_others_and_resolved_when_it_works_again(
    post: Post, web: Webs
) -> None:
    dead, other = web(status(500)), web()
    post.channels(dead.address, other.address, language="en")
    post.tell(*post.open(matter(kind=AlertKind.STATION)))
    post.start()
    post.wait("channel = '0' and attempts > 0")
    other.wait_for(1)
    now = post.station.now()
    tick(post.station, now)
    assert about_channels(post) == [], "half an hour is allowed"
    tick(post.station, now + timedelta(minutes=31))
    (found,) = about_channels(post)
    assert found.since == post.state("0").failing_since
    said = "The channel 0 delivers no messages"
    until(lambda: any(said in text for text in other.texts), "that it is told")
    tick(post.station, now + timedelta(minutes=32))
    assert len(about_channels(post)) == 1, "once"
    dead.reply = ok
    post.wait("channel = '0' and delivered_at is not null")
    tick(post.station, now + timedelta(minutes=33))
    assert about_channels(post) == []
    post.wait("delivered_at is not null", len(post.rows()))
    assert len([text for text in other.texts if said in text]) == 1
    assert not [text for text in dead.texts if said in text], "it is not told of itself"


@pytest.mark.raises_and_resolves(AlertKind.MESSAGE_GIVEN_UP)
def test_messages_that_were_given_up_are_an_alert_for_a_day(post: Post, web: Webs) -> None:
    server = web(status(500))
    post.channels(server.address, give_up_after_hours=1)
    post.tell(*post.open(matter(kind=AlertKind.STATION)))
    now = post.station.now()
    old = now - timedelta(hours=2)
    post.station.catalogue.execute("update messages set made_at = ?, attempts = 4", [iso(old)])
    post.station.catalogue.conn.commit()
    post.start()
    post.wait("given_up_at is not null")
    tick(post.station, now + timedelta(minutes=1))
    (found,) = about_channels(post)
    assert (found.kind, found.count) == (AlertKind.MESSAGE_GIVEN_UP, 1)
    tick(post.station, now + timedelta(hours=25))
    assert AlertKind.MESSAGE_GIVEN_UP not in {one.kind for one in about_channels(post)}


def test_a_channel_that_the_settings_do_not_name_any_more_is_no_alert(
    post: Post, web: Webs
) -> None:
    server = web(status(500))
    post.channels(server.address)
    post.tell(*post.open(matter(kind=AlertKind.STATION)))
    delivering = post.start()
    post.wait("attempts > 0")
    later = post.station.now() + timedelta(hours=1)
    tick(post.station, later)
    assert len(about_channels(post)) == 1
    delivering.stop(10.0)
    post.channels()
    tick(post.reopened(), later + timedelta(minutes=1))
    assert about_channels(post) == []
