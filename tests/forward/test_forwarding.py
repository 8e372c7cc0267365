"""Sealed recordings go to their stores by themselves, and count only when these have them."""

import signal

from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until


def test_art_21_what_is_sealed_goes_to_the_store_and_is_confirmed_on_record(
    forwarded: Forwarded,
) -> None:
    forwarded.set_up()
    (one, other) = forwarded.seal(2)
    forwarded.bind()
    forwarded.start()
    forwarded.until_confirmed(2)
    (third,) = forwarded.seal(1, first=3)
    forwarded.until_confirmed(3)
    assert forwarded.stop() == 128 + signal.SIGTERM
    objects = forwarded.objects()
    evidence = forwarded.dock.evidence
    for sealed in (one, other, third):
        (key,) = [key for key in objects if sealed["id"] in key and not key.endswith(".json")]
        assert objects[key] == (evidence / sealed["path"]).read_bytes()
        assert objects[f"{key}.json"] == (evidence / f"{sealed['path']}.json").read_bytes()
    entries = forwarded.entries("confirmed")
    assert {entry["subject"] for entry in entries} == {one["id"], other["id"], third["id"]}
    assert {entry["facts"]["proof"] for entry in entries} == {"read-back"}
    shown = forwarded.dock.run("recordings", "show", one["id"], "--json").json
    assert shown["stores"] == {"nas": {"state": "confirmed", "version": None}}
    status = forwarded.dock.run("forward", "status", "--json")
    assert status.code == 0
    (nas,) = status.json["stores"]
    assert (nas["state"], nas["waiting"], nas["confirmed"]) == ("idle", 0, 3)
    assert until(lambda: True, "")
