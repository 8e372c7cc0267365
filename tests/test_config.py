"""The configuration: every problem at once, with its key, its value and what is allowed."""

# ruff: noqa: DTZ001 - hypothesis wants its bounds without a zone

import copy
import subprocess
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from recorder_sync.config import (
    DEFAULT_PATH,
    PATH_VARIABLE,
    Configuration,
    load,
    parse,
    path_in_use,
)
from recorder_sync.errors import ConfigurationProblem, MissingPart
from recorder_sync.language import Language, use_language
from tests.conftest import Dock

SMALLEST: dict[str, Any] = {
    "station": {"id": "dock-01"},
    "paths": {"state": "/var/lib/recorder-sync", "evidence": "/srv/evidence"},
}


def with_(**sections: Any) -> dict[str, Any]:
    values = copy.deepcopy(SMALLEST)
    for name, section in sections.items():
        if isinstance(section, dict):
            values[name] = {**values.get(name, {}), **section}
        else:
            values[name] = section
    return values


def parsed(**sections: Any) -> Configuration:
    return parse(with_(**sections), Path("config.toml"))


def problems(**sections: Any) -> list[str]:
    """Return the problems that a configuration has, one text each."""
    with pytest.raises(ConfigurationProblem) as caught:
        parsed(**sections)
    found = [problem.english for problem in caught.value.problems]
    assert str(len(found)) in caught.value.text.english
    assert caught.value.hint is not None
    assert caught.value.exit_code == 2
    return found


# What is right.


def test_the_smallest_configuration_of_the_interface_works(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[station]\nid = "dock-01"\n\n[paths]\nstate = "/var/lib/recorder-sync"\n'
        'evidence = "/srv/evidence"\n'
    )
    found = load(path)
    assert found.station.id == "dock-01"
    assert found.paths.evidence == Path("/srv/evidence")
    assert found.station.zone.key == "Asia/Shanghai"
    assert found.ingest.read_back
    assert found.deadline.hours == 24
    assert found.known_profiles


def test_what_the_file_does_not_say_is_as_if_it_said_the_default() -> None:
    """Sections that are not in the file are made without validation."""
    defaults = {
        name: field.default
        for name, field in Configuration.model_fields.items()
        if isinstance(field.default, BaseModel)
    }
    assert len(defaults) > 10
    for name, section in defaults.items():
        assert section == type(section)(), name
        assert section.model_fields_set == set(), name
    assert parsed() == Configuration.model_validate(SMALLEST)
    assert parsed().model_fields_set == {"station", "paths"}


def test_the_example_configuration_is_right() -> None:
    example_file = Path(__file__).parents[1] / "config.example.toml"
    if not example_file.exists():
        pytest.skip("there is no config.example.toml yet")
    load(example_file)


def test_evidence_may_lie_below_the_state_folder() -> None:
    found = parsed(paths={"state": "/srv/station", "evidence": "/srv/station/evidence"})
    assert found.paths.evidence == Path("/srv/station/evidence")


def test_a_configuration_cannot_be_changed_while_the_program_runs() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parsed().deadline.hours = 48.0  # type: ignore[misc]


# What is wrong, each with its key, its value and what is allowed.


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        station={"id": "", "timezone": "Asia/Nowhere", "colour": "blue"},
        paths={"state": "relative"},
        ingest={"copies": 0, "read_back": "perhaps"},
        media={"time_limit_s": -1},
        deadline={"hours": 48},
        no_such_section={},
    )
    keys = [problem.split(" = ")[0].split(":")[0] for problem in found]
    assert sorted(keys) == [
        "deadline.hours",
        "ingest.copies",
        "ingest.read_back",
        "media.time_limit_s",
        "no_such_section",
        "paths.state",
        "station.colour",
        "station.id",
        "station.timezone",
    ]


@pytest.mark.parametrize(
    ("section", "key", "value", "allowed"),
    [
        ("station", "id", "a b", "pattern"),
        ("station", "id", 7, "string"),
        ("station", "language", "fr", "zh_CN"),
        ("station", "timezone", "Mars/Olympus", "IANA"),
        ("station", "timezone", "../../etc/passwd", "IANA"),
        ("station", "timezone", "", "IANA"),
        ("paths", "evidence", "evidence", "absolute"),
        ("paths", "evidence", "", "absolute"),
        ("paths", "state", "~/state", "absolute"),
        ("paths", "evidence", 7, "string"),
        ("ingest", "copies", 0, "1"),
        ("ingest", "copies_per_disk", 17, "16"),
        ("ingest", "copies_per_port_group", 2.5, "integer"),
        ("ingest", "keep_partials_days", -1, "0"),
        ("ingest", "digests", ["blake3"], "sha256"),
        ("ingest", "reserve_mib", -1, "0"),
        ("media", "time_limit_s", float("nan"), ""),
        ("media", "time_limit_s", float("inf"), ""),
        ("media", "memory_limit_mib", 1, "256"),
        ("deadline", "hours", 24.1, "24"),
        ("deadline", "hours", 0, "0"),
        ("deadline", "hours", float("nan"), ""),
    ],
)
def test_a_bad_value_is_named_with_key_value_and_what_is_allowed(
    section: str, key: str, value: object, allowed: str
) -> None:
    (problem,) = problems(**{section: {key: value}})
    assert problem.startswith(f"{section}.{key} = {value!r}: ")
    assert allowed in problem.split(": ", 1)[1]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("ingest", "copies", "4"),
        ("ingest", "copies", True),
        ("ingest", "read_back", "yes"),
        ("ingest", "read_back", 1),
        ("deadline", "hours", "12"),
        ("media", "time_limit_s", True),
    ],
)
def test_a_wrong_type_is_an_error_and_never_guessed_at(
    section: str, key: str, value: object
) -> None:
    (problem,) = problems(**{section: {key: value}})
    assert problem.startswith(f"{section}.{key} = {value!r}: ")


@pytest.mark.parametrize("path", ["/srv/evi\0dence", "/\0"])
def test_a_path_that_no_system_can_have_is_an_error(path: str) -> None:
    (problem,) = problems(paths={"evidence": path})
    assert problem.startswith("paths.evidence = ")


@pytest.mark.parametrize("key", ["id"])
def test_a_missing_key_is_named(key: str) -> None:
    values = with_()
    del values["station"][key]
    with pytest.raises(ConfigurationProblem) as caught:
        parse(values, Path("config.toml"))
    (problem,) = caught.value.problems
    assert problem.english.startswith(f"station.{key}: is missing")


def test_an_empty_file_names_the_sections_that_have_to_be_there(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    with pytest.raises(ConfigurationProblem) as caught:
        load(path)
    assert {problem.english.split(":")[0] for problem in caught.value.problems} == {
        "station",
        "paths",
    }


@pytest.mark.parametrize(
    ("sections", "key", "allowed"),
    [
        ({"no_such": {}}, "no_such", ("deadline", "ingest", "media", "paths", "station")),
        ({"station": {"nmae": 1}}, "station.nmae", ("id", "language", "timezone")),
        ({"ingest": {"lane": 1}}, "ingest.lane", ("immutable", "copies", "read_back")),
        ({"media": {"ffmpeg": "x"}}, "media.ffmpeg", ("ffprobe", "time_limit_s")),
        (
            {"profiles": [{"name": "a"}, {"name": "b", "filenames": []}]},
            "profiles.1.filenames",
            ("file_names", "name_clock", "identity_files", "kinds"),
        ),
        (
            {
                "profiles": [
                    {"name": "a", "identity_files": [{"path": "x", "format": "ini", "key": {}}]}
                ]
            },
            "profiles.0.identity_files.0.key",
            ("format", "keys", "path"),
        ),
    ],
)
def test_an_unknown_key_lists_the_keys_that_are_allowed_there(
    sections: dict[str, Any], key: str, allowed: tuple[str, ...]
) -> None:
    (problem,) = problems(**sections)
    name, _, listed = problem.partition(": there is no such key; allowed here: ")
    assert name == key
    assert set(allowed) <= set(listed.split(", "))
    assert key.rpartition(".")[2] not in listed.split(", ")


@pytest.mark.parametrize(
    ("state", "evidence"),
    [
        ("/srv/evidence", "/srv/evidence"),
        ("/srv/evidence/state", "/srv/evidence"),
        ("/srv/evidence/.incoming", "/srv/evidence"),
        ("/srv/other/../evidence/state", "/srv/evidence"),
        ("/srv/evidence/", "/srv//evidence"),
    ],
)
def test_the_state_folder_is_never_evidence(state: str, evidence: str) -> None:
    (problem,) = problems(paths={"state": state, "evidence": evidence})
    assert problem.startswith("paths.state = ")


def test_the_state_folder_is_never_evidence_by_way_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "evidence")
    paths = {"state": str(tmp_path / "link" / "state"), "evidence": str(tmp_path / "evidence")}
    (problem,) = problems(paths=paths)
    assert problem.startswith("paths.state = ")


# Profiles.


@pytest.mark.parametrize(
    "pattern", ["(", "(?P<device>", "[", "a{99999999999999999999}", "(" * 3000 + ")" * 3000]
)
def test_a_pattern_that_is_none_is_named(pattern: str) -> None:
    (problem,) = problems(profiles=[{"name": "ours", "file_names": ["ok", pattern]}])
    assert problem.startswith("profiles.0.file_names")
    assert "regular expression" in problem
    (problem,) = problems(
        profiles=[{"name": "ours", "identity_files": [{"path": pattern, "format": "ini"}]}]
    )
    assert problem.startswith("profiles.0.identity_files.0.path")


@pytest.mark.parametrize(
    ("profile", "key"),
    [
        ({"name": ""}, "profiles.0.name"),
        ({"name": "a", "name_clock": "moon"}, "profiles.0.name_clock"),
        ({"name": "a", "kinds": {"0": "film"}}, "profiles.0.kinds.0"),
        ({"name": "a", "container_tags": {"x": "colour"}}, "profiles.0.container_tags.x"),
        (
            {"name": "a", "identity_files": [{"path": "x", "format": "word"}]},
            "profiles.0.identity_files.0.format",
        ),
        ({"name": "a", "usb": ["4255"]}, "profiles.0.usb.0"),
        ({"name": "a", "health_from": ["guess"]}, "profiles.0.health_from.0"),
        ({"name": "a", "vendor_command": ["status"]}, "profiles.0.vendor_command"),
        ({"name": "a", "usb": ["4255:1000"], "unlock_command": []}, "profiles.0.unlock_command"),
        ({"name": "a", "unlock_command": "rm -r /"}, "profiles.0.unlock_command"),
        ({"name": "a", "unlock_limit_s": 0}, "profiles.0.unlock_limit_s"),
    ],
)
def test_a_bad_value_in_a_profile_is_named_with_its_whole_key(
    profile: dict[str, Any], key: str
) -> None:
    (problem,) = problems(profiles=[profile])
    assert problem.startswith(f"{key} = ")


# The file.


@pytest.mark.parametrize(
    "content",
    [
        b"[station\nid = 1",
        b'station = {id = "a"',
        b"\xff\xfe[\x00",
        b"a = 1\na = 2",
        b"a = " + b"[" * 20_000 + b"]" * 20_000,
        b"x",
    ],
    ids=["bracket", "brace", "utf-16", "twice", "too deep", "word"],
)
def test_what_is_no_toml_is_said_so_with_the_place(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationProblem) as caught:
        load(path)
    assert str(path) in caught.value.text.english
    assert caught.value.exit_code == 2
    assert caught.value.hint is not None


def test_a_file_that_is_not_there_is_a_missing_part_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingPart) as caught:
        load(tmp_path / "config.toml")
    assert caught.value.exit_code == 3
    assert str(tmp_path / "config.toml") in caught.value.text.english
    assert caught.value.hint is not None
    assert PATH_VARIABLE in caught.value.hint.english


def test_a_folder_in_place_of_the_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(MissingPart) as caught:
        load(tmp_path)
    assert str(tmp_path) in caught.value.text.english


def test_the_file_is_the_given_one_then_that_of_the_environment_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PATH_VARIABLE, "/from/environment.toml")
    assert path_in_use(Path("/given.toml")) == Path("/given.toml")
    assert path_in_use(None) == Path("/from/environment.toml")
    monkeypatch.setenv(PATH_VARIABLE, "")
    assert path_in_use(None) == DEFAULT_PATH
    monkeypatch.delenv(PATH_VARIABLE)
    assert path_in_use(None) == DEFAULT_PATH


# The real command.


def test_config_check_lists_every_problem_and_exits_2(dock: Dock) -> None:
    dock.configure(ingest={"copies": 0}, deadline={"hours": 99})
    done = dock.run("config", "check", "--json")
    assert done.code == 2
    assert len(done.json["problems"]) == 2
    assert "ingest.copies = 0" in done.err
    assert "deadline.hours = 99" in done.err
    assert not dock.state.exists(), "nothing was done"


def test_config_check_of_a_good_file_exits_0(dock: Dock) -> None:
    done = dock.run("config", "check", "--json")
    assert (done.code, done.json["problems"]) == (0, [])


def test_a_missing_file_ends_every_command_with_3(dock: Dock) -> None:
    dock.config.unlink()
    done = dock.run("recordings", "list", "--json", env={"RECORDER_SYNC_LANGUAGE": "en"})
    assert done.code == 3
    assert str(dock.config) in done.json["error"]


def test_the_command_reads_the_file_of_the_environment(dock: Dock) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recorder_sync", "config", "show"],
        env={PATH_VARIABLE: str(dock.config), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert str(dock.evidence) in done.stdout


def test_what_config_show_prints_is_a_configuration_that_says_the_same(
    dock: Dock, tmp_path: Path
) -> None:
    done = dock.run("config", "show")
    assert done.code == 0
    (tmp_path / "shown.toml").write_text(done.out)
    assert load(tmp_path / "shown.toml") == load(dock.config)


# Anything that TOML can hold.

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_leaf = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    _text,
    st.sampled_from(["/srv", "/srv/evidence", "Asia/Shanghai", "UTC", "en", "(", "a{3}", "local"]),
    st.dates(date(1, 1, 1)),
    st.datetimes(datetime(1, 1, 1)),
    st.times(time(0)),
)
_keys = st.one_of(
    _text,
    st.sampled_from(
        [
            *("station", "paths", "ingest", "media", "deadline", "profiles"),
            *("id", "language", "timezone", "state", "evidence", "lanes", "hours", "name"),
            *("file_names", "identity_files", "path", "format", "keys", "kinds"),
        ]
    ),
)
_anything = st.recursive(
    _leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=8,
)
_values = st.dictionaries(_keys, _anything, max_size=5)


def _only_our_errors(values: dict[str, Any], path: Path) -> None:
    path.write_text(tomli_w.dumps(values), encoding="utf-8")
    try:
        found = load(path)
    except ConfigurationProblem as problem:
        refused = problem
    else:
        assert found.known_profiles
        return
    for language in Language:
        assert refused.text.in_language(language)
        assert all(one.in_language(language) for one in refused.problems)
    assert refused.problems or "not valid TOML" in refused.text.english


@given(values=_values)
def test_nothing_that_toml_can_hold_ends_in_anything_but_a_list_of_problems(
    values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    _only_our_errors(values, tmp_path_factory.getbasetemp() / "anything.toml")


_PLACES = [
    *(("station", key) for key in ("id", "language", "timezone")),
    *(("paths", key) for key in ("state", "evidence")),
    *(("ingest", key) for key in ("read_back", "immutable", "lanes", "reserve_mib", "{x}")),
    *(("media", key) for key in ("ffprobe", "processes", "time_limit_s", "memory_limit_mib")),
    ("deadline", "hours"),
]
_PROFILE_KEYS = [
    *("name", "file_names", "name_clock", "identity_files", "container_tags", "kinds"),
    *("usb", "status_files", "status_clock", "health_from", "vendor_command", "unlock_command"),
]


@settings(max_examples=200)
@given(place=st.sampled_from(_PLACES), value=_anything)
@example(place=("ingest", "{x}"), value="{y}")
def test_no_single_value_ends_in_anything_but_a_list_of_problems(
    place: tuple[str, str], value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    section, key = place
    values = with_(**{section: {key: value}})
    _only_our_errors(values, tmp_path_factory.getbasetemp() / "one-value.toml")


@given(key=st.sampled_from(_PROFILE_KEYS), value=_anything)
def test_no_value_in_a_profile_ends_in_anything_but_a_list_of_problems(
    key: str, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = with_(profiles=[{"name": "ours", key: value}])
    _only_our_errors(values, tmp_path_factory.getbasetemp() / "profile.toml")


_WITNESS = "office-b+a006684e+BO/ghxRSkzBC/QXBBUxBT2NUFsrO7sdzER8QsHpbzYLS"


@pytest.mark.parametrize(
    ("section", "word"),
    [
        ({"servers": [{"name": "b", "key": _WITNESS[:-1]}]}, "verifier key of a witness"),
        ({"servers": [{"name": "b", "key": _WITNESS, "url": "office-b"}]}, "http://"),
        ({"servers": [{"name": "b", "key": _WITNESS, "url": "file:///etc"}]}, "http://"),
        ({"servers": [{"name": "b", "key": _WITNESS}] * 2}, "a name of its own"),
        ({"timestamp_url": "http://tsa"}, "when timestamp_url is"),
        ({"timestamp_certificates": ["/tsa.pem"]}, "when timestamp_url is"),
        ({"timestamp_url": "ftp://tsa", "timestamp_certificates": ["/tsa.pem"]}, "http://"),
        ({"folders": ["stick"]}, "absolute"),
        ({"channels_file": "channels"}, "absolute"),
        ({"alert_after_minutes": -1}, "greater than or equal to 0"),
    ],
)
def test_witnesses_that_cannot_be_are_named(section: dict[str, Any], word: str) -> None:
    assert any(word in problem for problem in problems(witness=section))


def test_a_witness_may_have_no_address() -> None:
    (server,) = parsed(witness={"servers": [{"name": "b", "key": _WITNESS}]}).witness.servers
    assert server.url is None


def test_problems_are_told_in_chinese_too() -> None:
    with pytest.raises(ConfigurationProblem) as caught:
        parsed(ingest={"lane": 1})
    use_language(Language.CHINESE)
    (problem,) = caught.value.problems
    assert problem.shown != problem.english
    assert "ingest.lane" in problem.shown


def test_the_smallest_configuration_of_the_readme_works(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[station]\nid = "dock-01"\n[paths]\nstate = "/s"\nevidence = "/e"\n')
    assert load(file).paths.runtime == Path("/run/recorder-sync")
