"""A process of its own that verifies a sample, and says on its output how far it is.

It is asked by one line of JSON, and stops when its input ends: whoever asked is gone then.
What came of it is in the custody log, as of every verification.
"""

import json
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from recorder_sync.catalogue.alert_facts import text_facts
from recorder_sync.config import Configuration
from recorder_sync.errors import CustodyProblem
from recorder_sync.explained import explained
from recorder_sync.ingest.recovery import is_intake_under_way, recover
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.alarm import Alarm
from recorder_sync.inspection.pace import Pace, step_back
from recorder_sync.inspection.verification import Scope, verify
from recorder_sync.station import open_station

_SAYS_EVERY_S = 0.3


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    stop = Stop()
    threading.Thread(target=_await_end, args=(stop,), daemon=True).start()
    step_back()
    try:
        _say(_checked(asked, stop))
    except Exception as error:  # noqa: BLE001 - whoever asked shows it
        problem = explained(error)
        hint = text_facts(problem.hint) if problem.hint else None
        _say({"ended": True, "error": text_facts(problem.text), "hint": hint})


def _await_end(stop: Stop) -> None:
    sys.stdin.read()
    stop.request()


def _checked(asked: dict[str, Any], stop: Stop) -> dict[str, Any]:
    settings = Configuration.model_validate(asked["settings"])
    opened = open_station(settings, writes_evidence=False)
    station = replace(opened, actor=asked["actor"])
    so_far = {"checked": 0, "size": 0}
    said_at = 0.0

    def note(_path: str, size: int) -> None:
        nonlocal said_at
        so_far["checked"] += 1
        so_far["size"] += size
        if time.monotonic() - said_at >= _SAYS_EVERY_S:
            said_at = time.monotonic()
            _say(so_far)

    alarm = Alarm(station)
    try:
        with suppress(CustodyProblem):  # a log that is broken is what the verification names
            recover(station)
        pace = Pace(
            settings.verification.rate, stop, gives_way=lambda: is_intake_under_way(station)
        )
        scope = Scope(sample=asked["sample"], case=asked["case"])
        result = verify(station, scope, note, pace=pace, found=alarm.sound)
        alarm.sound_the_others()
    finally:
        station.catalogue.close()
    return {
        "ended": True,
        "checked": result.checked,
        "size": result.size,
        "findings": len(result.findings),
        "complete": result.complete,
    }


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
