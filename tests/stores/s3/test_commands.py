"""A bucket that is named in the settings: bound and checked by the commands that people run."""

from pathlib import Path

import tomli_w

from tests.conftest import Dock
from tests.stores.s3.conftest import Bucket


def test_a_bucket_is_bound_and_checked_by_its_settings(
    dock: Dock, modern: Bucket, tmp_path: Path
) -> None:
    key = tmp_path / "secret-key"
    key.write_text("secretdock\n")
    key.chmod(0o600)
    place = {
        "bucket": modern.name,
        "endpoint": modern.server.endpoint,
        "prefix": "evidence/",
        "ca_file": str(modern.server.certificates.authority),
        "access_key": {"environment": "ACCESS_KEY"},
        "secret_key": {"file": str(key)},
        "lock": "compliance",
    }
    store = {"name": "district", "s3": place}
    dock.config.write_text(dock.config.read_text() + tomli_w.dumps({"stores": [store]}))
    environment = {"ACCESS_KEY": "testdock"}
    done = dock.run("stores", "bind", "district", "--json", env=environment)
    assert done.code == 0, done.err
    assert done.json["lock"] == "compliance"
    assert done.json["bound"]["identity"]
    done = dock.run("stores", "check", "--json", env=environment)
    checks = done.json["stores"][0]["checks"]
    bad = [one["text"] for one in checks if one["verdict"] == "bad"]
    assert [text for text in bad if "clocks" not in text] == []  # ours is set: on_the_day.py
    assert "it is the store that was bound" in [one["text"] for one in checks]
    assert "secretdock" not in done.out
    key.unlink()
    done = dock.run("stores", "check", "--json", env=environment)
    assert done.code == 1
    assert str(key) in done.out
