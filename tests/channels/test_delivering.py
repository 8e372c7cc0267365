"""What is in the queue is delivered, each channel by itself, whatever one of them does."""

from datetime import timedelta

import pytest

from recorder_sync.alerts.record import put_on_record
from recorder_sync.catalogue.messages import channel_facts
from recorder_sync.language import Language
from recorder_sync.rules.escalation import Address, Message
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import Changes
from recorder_sync.rules.retrying import LONGEST_WAIT
from recorder_sync.timestamps import iso, moment
from tests.channels.conftest import (
    MailServer,
    Post,
    Reply,
    Syslog,
    Webs,
    cut,
    hang,
    matter,
    ok,
    status,
    trickle,
)
from tests.ingest.aftermath import until

pytestmark = pytest.mark.long


def test_a_message_goes_out_by_every_channel_that_takes_it_and_once(
    post: Post, web: Webs, mail: MailServer, syslog: Syslog
) -> None:
    server = web()
    post.channels(server.address, mail.address, syslog.address)
    (number,) = post.open(matter())
    post.tell(number)
    post.start()
    post.wait("delivered_at is not null", 3)
    assert "0031" in server.texts[0]
    assert "0031" in str(mail.letters.received[0]["Subject"])
    assert "0031" in syslog.line()
    (second,) = post.open(matter("two"))
    post.tell(second)
    post.wait("delivered_at is not null", 6)
    assert len(server.received) == 2
    assert len(mail.letters.received) == 2


@pytest.mark.parametrize(
    "reply",
    [hang, trickle, cut, status(500), status(429)],
    ids=["hang", "trickle", "cut", "500", "429"],
)
def test_a_channel_that_does_not_take_it_holds_up_no_other(
    reply: Reply, post: Post, web: Webs
) -> None:
    bad, good = web(reply), web()
    post.channels(bad.address, "json://127.0.0.1:1", good.address, attempt_limit_s=1.0)
    post.tell(*post.open(matter("one"), matter("two")))
    post.start()
    good.wait_for(2)
    post.wait("channel in ('0', '1') and attempts > 0", 2)
    assert post.state("2").failing_since is None
    for name in ("0", "1"):
        assert post.state(name).failing_since is not None
        assert post.state(name).last_error is not None
        assert post.state(name).waiting == 2


def test_what_failed_is_tried_again_and_the_channel_works_again(post: Post, web: Webs) -> None:
    server = web(status(500))
    post.channels(server.address)
    post.tell(*post.open(matter()))
    post.start()
    post.wait("attempts = 1")
    server.reply = ok
    post.wait("delivered_at is not null")
    assert post.rows()[0]["attempts"] == 2
    assert post.rows()[0]["last_error"] is None
    state = post.state("0")
    assert (state.failing_since, state.last_error) == (None, None)
    assert state.last_delivered_at is not None


def test_a_server_that_asks_for_time_is_left_alone_by_all_messages_also_after_a_restart(
    post: Post, web: Webs
) -> None:
    """Another channel shows that the second run has looked at the queue."""
    busy, other = web(status(429, Retry_After="600")), web()
    post.channels(busy.address, other.address)
    post.tell(*post.open(matter("one"), matter("two")))
    first = post.start()
    post.wait("channel = '0' and attempts = 1")
    other.wait_for(2)
    first.stop(10.0)
    now = post.station.now()
    for row in post.rows():
        if row["channel"] == "0":
            assert moment(row["next_try_at"]) > now + timedelta(seconds=500)
    post.start()
    post.tell(*post.open(matter("three")))
    other.wait_for(3)
    post.wait("channel = '1' and delivered_at is not null", 3)
    assert len(busy.received) <= 2, "the third came after the answer, and may be tried"


def test_what_waits_goes_out_after_a_restart_and_what_went_out_does_not_again(
    post: Post, web: Webs
) -> None:
    server = web()
    post.channels(server.address)
    post.tell(*post.open(matter("one")))
    first = post.start()
    post.wait("delivered_at is not null")
    first.stop(10.0)
    post.tell(*post.open(matter("two"), matter("three")))
    post.start()
    post.wait("delivered_at is not null", 3)
    assert len(server.received) == 3


def test_a_clock_that_was_set_back_holds_nothing_up(post: Post, web: Webs) -> None:
    server = web()
    post.channels(server.address)
    post.tell(*post.open(matter()))
    later = post.station.now() + LONGEST_WAIT + timedelta(days=400)
    post.station.catalogue.execute("update messages set next_try_at = ?", [iso(later)])
    post.station.catalogue.conn.commit()
    post.start()
    server.wait_for(1)


def test_a_message_that_nobody_can_word_holds_up_no_other(post: Post, web: Webs) -> None:
    server = web()
    post.channels(server.address)
    (number,) = post.open(matter())
    post.tell(number)
    post.station.catalogue.execute("update messages set alerts = '[4711]'")
    post.station.catalogue.conn.commit()
    post.tell(number)
    post.start()
    server.wait_for(1)
    post.wait("attempts > 0 and last_error like '%4711%'")


def test_a_message_that_is_too_old_is_given_up_and_that_is_known(post: Post, web: Webs) -> None:
    server = web(status(500))
    post.channels(server.address, give_up_after_hours=1)
    post.tell(*post.open(matter()))
    old = post.station.now() - timedelta(hours=2)
    post.station.catalogue.execute("update messages set made_at = ?, attempts = 4", [iso(old)])
    post.station.catalogue.conn.commit()
    post.start()
    post.wait("given_up_at is not null")
    (facts,) = channel_facts(post.station.catalogue, ["0"], post.station.now(), timedelta(hours=24))
    assert len(facts.given_up) == 1
    assert post.state("0").waiting == 0


def test_what_waits_for_a_channel_that_is_gone_is_given_up(post: Post, web: Webs) -> None:
    server = web()
    post.channels("json://127.0.0.1:1", server.address, give_up_after_hours=1)
    post.tell(*post.open(matter()))
    old = post.station.now() - timedelta(hours=2)
    post.station.catalogue.execute("update messages set made_at = ?", [iso(old)])
    post.station.catalogue.conn.commit()
    post.channels(server.address)
    post.settings = post.settings.model_copy(
        update={"alerts": post.settings.alerts.model_copy(update={"give_up_after_hours": 1.0})}
    )
    post.start()
    post.wait("channel = '1' and given_up_at is not null")


def test_an_alert_that_is_resolved_meanwhile_says_so(post: Post, web: Webs) -> None:
    server = web()
    post.channels(server.address, language="en")
    (number,) = post.open(matter())
    post.tell(number)
    put_on_record(post.station, Changes(resolved=(number,)), post.station.now())
    post.start()
    server.wait_for(1)
    assert "Resolved since 2026-11-2" in server.texts[0]
    assert server.received[0]["title"].startswith("[test] Resolved: ")


def test_each_channel_gets_its_own_language_and_its_own_alerts(post: Post, web: Webs) -> None:
    chinese, english = web(), web()
    post.channels(chinese.address, english.address)
    rows = list(post.settings.alerts.channels)
    rows[0] = rows[0].model_copy(update={"language": Language.CHINESE})
    rows[1] = rows[1].model_copy(update={"language": Language.ENGLISH, "least": Severity.BREACH})
    alerts = post.settings.alerts.model_copy(update={"channels": tuple(rows)})
    post.settings = post.settings.model_copy(update={"alerts": alerts})
    numbers = post.open(matter("one"), matter("two", severity=Severity.BREACH))
    post.queue(Message(Address(Recipient.CUSTODIAN), numbers, is_digest=True))
    post.start()
    chinese.wait_for(1)
    english.wait_for(1)
    assert "超限" in chinese.texts[0]
    assert "Breach: " in english.texts[0]
    assert "Warning: " not in english.texts[0]


def test_an_officer_is_named_in_the_message_for_the_officer(post: Post, web: Webs) -> None:
    server = web()
    post.channels(server.address, to=["officer"], language="en")
    post.station.catalogue.execute(
        "insert into officers (cert_no, name) values ('0007', '王\u202e伟')"
    )
    post.station.catalogue.conn.commit()
    (number,) = post.open(matter(officer="0007"))
    post.queue(Message(Address(Recipient.OFFICER, "0007"), (number,)))
    post.start()
    server.wait_for(1)
    assert "To: officer 王\\u202e伟 0007" in server.texts[0]


def test_a_thousand_messages_go_out_in_order(post: Post, web: Webs) -> None:
    server = web()
    post.channels(server.address)
    (number,) = post.open(matter())
    post.tell(*[number] * 1000)
    post.start()
    post.wait("delivered_at is not null", 1000)
    ends = [text.splitlines()[-1] for text in server.texts]
    assert len(set(ends)) == 1000
    assert ends == sorted(ends, key=lambda end: int(end.rpartition("/")[2]))


def test_a_dead_channel_with_a_long_queue_is_tried_ever_more_seldom(post: Post, web: Webs) -> None:
    server = web(status(503))
    post.channels(server.address)
    (number,) = post.open(matter())
    post.tell(*[number] * 100)
    post.start()
    server.wait_for(2)
    assert len(server.received) < 5, "not one attempt for each message"
    server.reply = ok
    until(lambda: post.state("0").waiting == 0, "all are delivered once it works")
