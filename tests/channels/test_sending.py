"""One message to one address: taken, or a plain reason why not, within a set time."""

import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder_sync.channels.sending import Letter, Outcome, Sender
from recorder_sync.rules.matter import Severity
from tests.channels.conftest import (
    Internet,
    MailServer,
    Reply,
    Syslog,
    Web,
    Webs,
    cut,
    flood,
    hang,
    ok,
    saying,
    status,
    trickle,
)

_NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
_LETTER = Letter("超限：设备 0031", "第一行\nzwei <b> & @all", Severity.BREACH)
_SECRET = "geheim-4711"

Send = Callable[..., Outcome]
Service = Callable[[Reply], tuple[Web, Internet]]


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """One process for many tests: loading the library takes most of a second."""
    sender = Sender()

    def send(url: str, letter: Letter = _LETTER, limit_s: float = 20.0) -> Outcome:
        return sender.send(url, letter, limit_s, _NOW)

    yield send
    sender.close()


@pytest.fixture
def send_abroad(service: object) -> Iterator[Send]:
    """A process that is started once the way into the internet is known."""
    sender = Sender()
    yield lambda url: sender.send(url, _LETTER, 20.0, _NOW)
    sender.close()


def why(outcome: Outcome) -> str:
    assert not outcome.delivered
    assert outcome.why is not None
    assert "geheim" not in outcome.why.english
    return outcome.why.english


def test_a_webhook_gets_title_and_text_as_they_are(send: Send, web: Webs) -> None:
    server = web()
    assert send(server.address).delivered
    (got,) = server.received
    assert (got["title"], got["message"], got["type"]) == (
        _LETTER.title,
        _LETTER.text,
        "failure",
    )


def test_a_mail_is_plain_text_and_has_one_subject(send: Send, mail: MailServer) -> None:
    assert send(mail.address).delivered
    (letter,) = mail.letters.received
    assert letter["Subject"] == _LETTER.title
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == _LETTER.text.splitlines()
    assert letter.get_body(("html",)) is None, "nothing to click on that nobody wrote"


def test_no_line_break_gets_into_the_head_of_a_mail(send: Send, mail: MailServer) -> None:
    hostile = Letter("x\r\nBcc: b@example.org\nX-Evil: 1", "text", Severity.NOTICE)
    assert send(mail.address, hostile).delivered
    (letter,) = mail.letters.received
    assert letter["Bcc"] is None
    assert letter["X-Evil"] is None
    assert mail.letters.envelopes == [["custodian@example.org"]]


def test_syslog_gets_one_line_with_its_priority(send: Send, syslog: Syslog) -> None:
    assert send(syslog.address).delivered
    line = syslog.line()
    assert line.startswith("<26>")  # daemon, critical
    assert "\n" not in line
    assert "recorder-sync[" in line
    assert "第一行 | zwei <b> & @all" in line
    assert send(syslog.address, Letter("t", "中" * 10_000, Severity.NOTICE)).delivered
    assert len(syslog.line().encode()) <= 8000


def test_the_desktop_is_asked_to_show_text_and_no_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/shown\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    sender = Sender()
    letter = Letter("--urgency=low", "<b>&", Severity.BREACH)
    assert sender.send("desktop://", letter, 20.0, _NOW).delivered
    sender.close()
    shown = (tmp_path / "shown").read_text().splitlines()
    assert "--urgency=critical" in shown
    assert shown[-3:] == ["--", "--urgency=low", "&lt;b&gt;&amp;"]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("wecombot://geheim-4711", "content"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=geheim-4711", "content"),
        ("dingtalk://geheim4711/", "content"),
        ("feishu://geheim-4711", "text"),
    ],
    ids=["wecom", "wecom-as-shown", "dingtalk", "feishu"],
)
def test_chats_get_text_in_which_nobody_is_called(
    address: str, key: str, service: Service, send_abroad: Send
) -> None:
    server, internet = service(saying(errcode=0, errmsg="ok", code=0, msg="success"))
    assert send_abroad(address).delivered
    (got,) = server.received
    assert got.get("msgtype", got.get("msg_type")) == "text"
    assert not got.get("at", {}).get("atMobiles")
    assert not got.get("at", {}).get("isAtAll")
    content = got["text"] if "text" in got else got["content"]
    assert _LETTER.text in content[key].replace("\r", "")
    assert internet.asked[0].endswith(":443")


@pytest.mark.parametrize(
    ("address", "answer", "said"),
    [
        ("wecombot://geheim-4711", {"errcode": 93000, "errmsg": "invalid webhook url"}, "93000"),
        ("wecombot://geheim-4711", {"errcode": 45009, "errmsg": "freq out of limit"}, "45009"),
        ("dingtalk://geheim4711", {"errcode": 310000, "errmsg": "keywords not in"}, "310000"),
        ("feishu://geheim-4711", {"code": 19024, "msg": "Key Words Not Found"}, "19024"),
        ("feishu://geheim-4711", {"StatusCode": 9499, "StatusMessage": "Bad"}, "9499"),
    ],
)
def test_a_chat_that_refuses_with_a_status_of_200_has_not_taken_it(
    address: str, answer: dict[str, object], said: str, service: Service, send_abroad: Send
) -> None:
    service(saying(**answer))
    assert said in why(send_abroad(address))


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 404, 413, 500, 502, 503])
def test_any_other_status_is_a_failure_and_is_named(code: int, web: Webs, send: Send) -> None:
    server = web(status(code, Location="/login"))
    assert str(code) in why(send(f"{server.address}/{_SECRET}"))
    assert len(server.received) == 1, "a redirection is not followed"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 23 Nov 2026 10:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
    ],
)
def test_a_server_that_asks_for_time_is_understood(
    header: str, seconds: float | None, web: Webs, send: Send
) -> None:
    server = web(status(429, Retry_After=header))
    outcome = send(server.address)
    assert "429" in why(outcome)
    assert outcome.retry_after_s == seconds


def test_nobody_there_is_said_plainly(send: Send) -> None:
    said = why(send(f"json://dock:{_SECRET}@127.0.0.1:1/{_SECRET}"))
    assert "refused" in said
    assert "refused" in why(send("mailto://127.0.0.1:1?from=a@example.org&to=b@example.org"))
    assert "/nowhere" in why(send("syslog:///nowhere"))


def test_what_is_no_address_is_said_plainly(send: Send) -> None:
    for url in (f"nothing://{_SECRET}", "", f"mailto://u:{_SECRET}@", "dingtalk://geheim-4711"):
        assert "not one that can be sent to" in why(send(url))


def test_a_mail_server_that_knows_nobody_of_that_name_is_quoted(
    send: Send, mail: MailServer
) -> None:
    mail.letters.refuses = True
    assert "550" in why(send(mail.address))


@pytest.mark.parametrize("reply", [hang, trickle, flood], ids=lambda reply: reply.__name__)
def test_a_server_that_does_not_come_to_an_end_holds_a_message_no_longer_than_set(
    reply: Reply, web: Webs, send: Send
) -> None:
    assert send(web().address).delivered  # the library is loaded
    server = web(reply)
    began = time.monotonic()
    outcome = send(f"{server.address}/?rto=60", limit_s=1.0)
    assert not outcome.delivered
    assert time.monotonic() - began < 3.0
    assert send(web().address).delivered, "the next one is sent all the same"


def test_an_answer_that_is_cut_off_is_a_failure(web: Webs, send: Send) -> None:
    why(send(web(cut).address))


def test_a_sender_that_is_killed_has_sent_nothing(web: Webs) -> None:
    sender = Sender()
    server = web()
    server.reply = lambda handler: kill_senders()
    assert "ended" in why(sender.send(server.address, _LETTER, 20.0, _NOW))
    server.reply = ok
    assert sender.send(server.address, _LETTER, 20.0, _NOW).delivered
    sender.close()


def kill_senders() -> None:
    """Kill the sender that this process has started."""
    import psutil

    for child in psutil.Process().children():
        if "recorder_sync.channels.sender" in child.cmdline():
            child.kill()


def test_a_message_that_is_being_sent_is_broken_off_by_the_stop(web: Webs) -> None:
    server = web(hang)
    sender = Sender(lambda: bool(server.received))
    began = time.monotonic()
    assert not sender.send(f"{server.address}/?rto=60", _LETTER, 30.0, _NOW).delivered
    assert time.monotonic() - began < 10.0
    sender.close()


def test_no_secret_stands_where_others_see_processes(web: Webs) -> None:
    seen: list[str] = []
    server = web()

    def look(handler: object) -> None:
        listed = subprocess.run(["ps", "axeww"], capture_output=True, check=True, text=True)
        seen.append(listed.stdout)
        ok(handler)  # type: ignore[arg-type]

    server.reply = look
    sender = Sender()
    assert sender.send(f"{server.address}/{_SECRET}", _LETTER, 20.0, _NOW).delivered
    sender.close()
    assert "recorder_sync.channels.sender" in seen[0]
    assert _SECRET not in seen[0]
