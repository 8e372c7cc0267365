"""The configuration: TOML in, typed settings out.

Every problem is reported at once, each with its key, its value and what is allowed.
Each part of the product takes the section it needs, nobody takes the whole.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)

from recorder_sync.alert_settings import Alerts, Watch
from recorder_sync.document_settings import DocumentSettings
from recorder_sync.errors import ConfigurationProblem, MissingPart, os_reason
from recorder_sync.forward_settings import Forward
from recorder_sync.language import Language, T, Text
from recorder_sync.marks_settings import MarksSettings
from recorder_sync.model import Kind
from recorder_sync.preview_settings import Previews
from recorder_sync.rules import naming
from recorder_sync.section import AbsolutePath, Section, absolute
from recorder_sync.stores.store_settings import StoreSettings, each_once
from recorder_sync.web_settings import Web
from recorder_sync.webhooks.settings import Webhook, each_hook_once

if TYPE_CHECKING:  # every command has the settings, few have this rule
    from recorder_sync.rules.watch_limits import WatchLimits

DEFAULT_PATH = Path("/etc/recorder-sync/config.toml")
PATH_VARIABLE = "RECORDER_SYNC_CONFIG"

_SECRETS = frozenset({"password", "passphrase", "key", "access_key", "secret_key", "session_token"})
"""Keys of a store whose value somebody may have written there, though only its place belongs."""


class Station(Section):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    """Name of this station, as it stands in every custody entry."""
    language: Language = Language.CHINESE
    """Language of screens and messages; logs and JSON are English."""
    timezone: str = "Asia/Shanghai"
    """Zone of the dates in evidence paths and of cameras that keep local time."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("should be an IANA time zone such as Asia/Shanghai") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Paths(Section):
    state: Path
    """Folder of the catalogue and the custody log."""
    evidence: Path
    """Folder of the sealed recordings."""
    runtime: Annotated[Path, Field(validate_default=False)] = Path("/run/recorder-sync")
    """Folder of the live status and the mounted volumes; empty after every boot."""

    _is_absolute = field_validator("state", "evidence", "runtime")(absolute)


class DigestName(StrEnum):
    BLAKE3 = "blake3"
    SHA256 = "sha256"
    SM3 = "sm3"


class Ingest(Section):
    read_back: bool = True
    """Read every copy back from the device before it is sealed. Off proves less."""
    immutable: bool = True
    """Set the immutable flag on sealed files where file system and rights allow."""
    fs_verity: bool = False
    """Have the kernel check every read of sealed files, where the file system can."""
    digests: tuple[DigestName, ...] = (DigestName.BLAKE3, DigestName.SHA256)
    """Digests of every recording; BLAKE3 and SHA-256 always."""
    copies: Annotated[int, Field(ge=1, le=64)] = 16
    """Recordings copied at the same time, in all."""
    copies_per_disk: Annotated[int, Field(ge=1, le=16)] = 2
    """Recordings copied at the same time from one card."""
    copies_per_port_group: Annotated[int, Field(ge=1, le=64)] = 16
    """Recordings copied at the same time from the ports of one hub."""
    keep_partials_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days that a partial copy waits for its card to come back."""
    reserve_mib: Annotated[int, Field(ge=0)] = 1024
    """Space on the evidence disk that stays free, in MiB."""

    @field_validator("digests")
    @classmethod
    def _always_two(cls, names: tuple[DigestName, ...]) -> tuple[DigestName, ...]:
        if not {DigestName.BLAKE3, DigestName.SHA256} <= set(names):
            raise ValueError("should hold blake3 and sha256, and may hold sm3")
        return names


class Media(Section):
    ffprobe: str | None = None
    """The ffprobe program: a name on PATH, or an absolute path. Where none is named: the small
    one that `make install` built, if it is there and fit, else `ffprobe` on PATH."""
    processes: Annotated[int, Field(ge=1, le=16)] = 1
    """Confined processes that read media files. Each, with its ffprobe, takes 40 MiB."""
    time_limit_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds after which a file that cannot be read is given up."""
    memory_limit_mib: Annotated[int, Field(ge=256)] = 1024
    """Address space of such a process, in MiB."""


class Unknown(StrEnum):
    """What is done with a device that the ledger does not know."""

    HOLD = "hold"
    INGEST = "ingest"


class Clear(StrEnum):
    """Which recordings are removed from a card."""

    NEVER = "never"
    SEALED = "sealed"
    CONFIRMED = "confirmed"
    """Sealed, and confirmed by every store that the policy names."""


class DropFolder(Section):
    """A folder that another program puts recordings into."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    path: Path
    device: str | None = None
    """Device number of everything in it."""
    device_folders: bool = False
    """Each folder in it is named by the number of its device."""
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """Seconds for which a file's size and time stay the same before it is complete."""


class Dock(Section):
    unknown: Unknown = Unknown.HOLD
    """What is done with a device that the ledger does not know."""
    clear: Clear = Clear.NEVER
    """Which recordings are removed from a card."""
    mount_wait_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds within which a plugged volume must be mounted."""
    folders: tuple[DropFolder, ...] = ()
    """Folders that are watched beside the ports."""


class Custody(Section):
    checkpoint_entries: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Entries after which the service signs the custody log, before the hour is over."""


class Backup(Section):
    folder: Path | None = None
    """Where the daily backups are; None: `backups` in the state folder."""
    keep: Annotated[int, Field(ge=0, le=10_000)] = 14
    """How many catalogues are kept there; 0: no daily backup is made."""
    at: Annotated[int, Field(ge=0, le=23)] = 2
    """Hour of the station's day from which the day's backup is due."""

    @field_validator("folder")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path if path is None else absolute(path)


class Readiness(Section):
    """When a device may go out again (Art. 22)."""

    least_battery_percent: Annotated[int, Field(ge=0, le=100)] = 80
    """Battery that it has at least."""
    least_free_percent: Annotated[int, Field(ge=0, le=100)] = 20
    """Part of its memory that is free at least."""
    most_clock_offset_s: Annotated[float, Field(ge=0)] = 60.0
    """Seconds that its clock may be off the station's."""
    unsealed_recordings: bool = False
    """Whether it may go out with recordings that are not sealed."""


class Deadline(Section):
    hours: Annotated[float, Field(gt=0, le=24)] = 24.0
    """Hours from a recording's end until it must be stored; Art. 21 allows at most 24."""


def _web_address(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", text):
        raise ValueError("should begin with http:// or https://, without spaces, ? and #")
    return text


class WitnessServer(Section):
    """A second machine, or somebody's, that cosigns checkpoints (C2SP tlog-witness)."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    key: str
    """The verifier key that the witness hands out."""
    url: str | None = None
    """Where it is asked; without one it is asked with files only."""

    @field_validator("key")
    @classmethod
    def _is_key(cls, text: str) -> str:
        from recorder_sync.custody.cosignature import WitnessKey

        try:
            WitnessKey.parse(text)
        except ValueError as error:
            raise ValueError(f"should be the verifier key of a witness ({error})") from None
        return text

    _is_web_address = field_validator("url")(_web_address)


class Witness(Section):
    """Who else keeps the checkpoints of the custody log."""

    servers: tuple[WitnessServer, ...] = ()
    """Witnesses that cosign."""
    folders: tuple[AbsolutePath, ...] = ()
    """Folders, such as one on a stick, that checkpoints are written to."""
    timestamp_url: str | None = None
    """Address of a time-stamping authority (RFC 3161)."""
    timestamp_certificates: tuple[AbsolutePath, ...] = ()
    """PEM files of the certificates that its time stamps are checked with."""
    channels_file: AbsolutePath | None = None
    """File with addresses that checkpoints are sent to as messages, one a line."""
    message_every_hours: Annotated[float, Field(ge=0)] = 24.0
    """Hours between two messages to one address; 0 sends every checkpoint."""
    alert_after_minutes: Annotated[float, Field(ge=0)] = 60.0
    """Minutes for which one of these may fail before it is an alert."""

    _is_web_address = field_validator("timestamp_url")(_web_address)

    @field_validator("timestamp_certificates")
    @classmethod
    def _beside_an_address(
        cls, files: tuple[Path, ...], others: ValidationInfo
    ) -> tuple[Path, ...]:
        if bool(files) != bool(others.data.get("timestamp_url")):
            raise ValueError("should be set when timestamp_url is, and only then")
        return files

    @field_validator("servers")
    @classmethod
    def _each_once(cls, servers: tuple[WitnessServer, ...]) -> tuple[WitnessServer, ...]:
        if len({one.name for one in servers}) != len(servers):
            raise ValueError("should have a name of its own for each")
        return servers


_Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Verification(Section):
    """How sealed recordings are re-read, a part of them each night."""

    nightly: bool = True
    """Whether the service re-reads by itself."""
    days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days within which every recording is re-read."""
    rate_mb_s: Annotated[float, Field(gt=0)] = 20.0
    """MB a second that are re-read at most, 1 000 000 bytes each."""
    night_begins: _Clock = "22:00"
    """When a night's work begins, local time."""
    night_ends: _Clock = "06:00"
    """When it ends; the same as its beginning: a night lasts the whole day."""

    @property
    def rate(self) -> int:
        """Bytes a second."""
        return max(1, int(self.rate_mb_s * 1_000_000))


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"should be a regular expression ({error})") from None
    return text


class IdentityFile(Section):
    path: str
    format: naming.IdentityFormat
    keys: dict[str, naming.Field] = Field(default_factory=dict)

    _is_pattern = field_validator("path")(_pattern)

    def compiled(self) -> naming.IdentityFile:
        return naming.IdentityFile(re.compile(self.path), self.format, tuple(self.keys.items()))


_Arguments = Annotated[tuple[str, ...], Field(min_length=1)]


class Profile(Section):
    name: Annotated[str, Field(min_length=1)]
    file_names: tuple[str, ...] = ()
    name_clock: naming.Clock = naming.Clock.LOCAL
    container_clock: naming.Clock = naming.Clock.UTC
    mtime_clock: naming.Clock = naming.Clock.UTC
    identity_files: tuple[IdentityFile, ...] = ()
    container_tags: dict[str, naming.Field] = Field(default_factory=dict)
    kinds: dict[str, Kind] = Field(default_factory=dict)
    usb: tuple[Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$")], ...] = ()
    status_files: tuple[IdentityFile, ...] = ()
    status_clock: naming.Clock | None = None
    health_from: tuple[naming.HealthSource, ...] = ()
    vendor_command: _Arguments | None = None
    vendor_command_limit_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    unlock_command: _Arguments | None = None
    unlock_limit_s: Annotated[float, Field(gt=0, le=600)] = 30.0

    @field_validator("vendor_command", "unlock_command")
    @classmethod
    def _only_for_named_devices(
        cls, arguments: tuple[str, ...] | None, others: ValidationInfo
    ) -> tuple[str, ...] | None:
        if arguments and not others.data.get("usb"):
            raise ValueError("should stand beside usb = [...]: it runs for those devices only")
        if arguments and not (arguments[0] and "\0" not in "".join(arguments)):
            raise ValueError("should begin with a program, and hold no NUL")
        return arguments

    @field_validator("file_names")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_pattern(p) for p in patterns)

    def compiled(self) -> naming.Profile:
        return naming.Profile(
            name=self.name,
            file_names=tuple(re.compile(p) for p in self.file_names),
            name_clock=self.name_clock,
            container_clock=self.container_clock,
            mtime_clock=self.mtime_clock,
            identity_files=tuple(f.compiled() for f in self.identity_files),
            container_tags=tuple((k.lower(), v) for k, v in self.container_tags.items()),
            kinds=tuple(self.kinds.items()),
            usb=tuple(naming.UsbModel(*one.lower().split(":")) for one in self.usb),
            status_files=tuple(f.compiled() for f in self.status_files),
            status_clock=self.status_clock,
            health_from=self.health_from,
            vendor_command=_command(self.vendor_command, self.vendor_command_limit_s),
            unlock_command=_command(self.unlock_command, self.unlock_limit_s),
        )


def _command(arguments: tuple[str, ...] | None, limit_s: float) -> naming.Command | None:
    return naming.Command(arguments, limit_s) if arguments else None


class Configuration(Section):
    station: Station
    paths: Paths
    ingest: Ingest = Ingest.model_construct()
    media: Media = Media.model_construct()
    dock: Dock = Dock.model_construct()
    custody: Custody = Custody.model_construct()
    readiness: Readiness = Readiness.model_construct()
    deadline: Deadline = Deadline.model_construct()
    backup: Backup = Backup.model_construct()
    witness: Witness = Witness.model_construct()
    verification: Verification = Verification.model_construct()
    watch: Watch = Watch.model_construct()
    alerts: Alerts = Alerts.model_construct()
    forward: Forward = Forward.model_construct()
    web: Web = Web.model_construct()
    previews: Previews = Previews.model_construct()
    marks: MarksSettings = MarksSettings.model_construct()
    documents: DocumentSettings = DocumentSettings.model_construct()
    stores: Annotated[tuple[StoreSettings, ...], AfterValidator(each_once)] = ()
    webhooks: Annotated[tuple[Webhook, ...], AfterValidator(each_hook_once)] = ()
    profiles: tuple[Profile, ...] = ()

    @property
    def backup_folder(self) -> Path:
        return self.backup.folder or self.paths.state / "backups"

    @cached_property
    def watch_limits(self) -> "WatchLimits":
        """The limits that the rules watch."""
        limits = self.readiness
        return self.watch.limits(
            self.deadline.hours, limits.least_battery_percent, limits.most_clock_offset_s
        )

    @cached_property
    def known_profiles(self) -> tuple[naming.Profile, ...]:
        """The configuration's own profiles, then those that come with the product."""
        return tuple(p.compiled() for p in (*self.profiles, *_shipped_profiles()))


class _Shipped(Section):
    profiles: tuple[Profile, ...]


def _shipped_profiles() -> tuple[Profile, ...]:
    text = Path(__file__).with_name("profiles.toml").read_text("utf-8")
    return _Shipped.model_validate(tomllib.loads(text)).profiles


def path_in_use(given: Path | None) -> Path:
    """Return the configuration file to read: given, from the environment, or default."""
    if given is not None:
        return given
    from_environment = os.environ.get(PATH_VARIABLE)
    return Path(from_environment) if from_environment else DEFAULT_PATH


def load(path: Path) -> Configuration:
    """Read and check the configuration file.

    Raises ConfigurationProblem with every problem found, MissingPart when there is no
    such file.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise MissingPart(
            T("There is no configuration file {path}.", path=path),
            T(
                "Copy config.example.toml there, or name another file with --config or {variable}.",
                variable=PATH_VARIABLE,
            ),
        ) from None
    except OSError as error:
        raise MissingPart(
            T(
                "The configuration file {path} cannot be read: {why}.",
                path=path,
                why=os_reason(error),
            ),
            T("Run the command as a user who may read it."),
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationProblem(
            T("{path} is not valid TOML: {why}", path=path, why=error),
            [],
            T("Mend the line named above; config.example.toml shows the form."),
        ) from error
    return parse(values, path)


def parse(values: dict[str, Any], path: Path) -> Configuration:
    """Turn the values of the file `path` into settings, or raise ConfigurationProblem."""
    problems = []
    try:
        configuration = _validated(values)
    except ValidationError as error:
        problems = list(_problems(error))
    else:
        evidence, state = (
            path.resolve() for path in (configuration.paths.evidence, configuration.paths.state)
        )
        if evidence == state or state.is_relative_to(evidence):
            problems.append(
                T(
                    "paths.state = {state}: should not be the evidence folder or inside it",
                    state=state,
                )
            )
        folder = configuration.backup.folder
        if folder is not None and folder.resolve().is_relative_to(evidence):
            problems.append(
                T(
                    "backup.folder = {folder}: should not be the evidence folder or inside it",
                    folder=folder,
                )
            )
    if problems:
        raise ConfigurationProblem(
            T("{path} has {count} problem(s); nothing was done.", path=path, count=len(problems)),
            problems,
            T("Mend them and run: recorder-sync config check"),
        )
    return configuration


def _validated(values: dict[str, Any]) -> Configuration:
    """Turn the tables of a file into settings; those that it has not are as by default.

    Only what is there, or has to be, is validated: validators for all sections would take as
    long to make as pydantic to import. Raises ValidationError.
    """
    wanted: dict[str, Any] = {
        name: (kind, ...)
        for name, kind in Configuration.__annotations__.items()
        if name in values or Configuration.model_fields[name].is_required()
    }
    given = create_model("Given", __base__=Section, **wanted)
    # As JSON, pydantic can be strict about types and still read paths and enums.
    text = json.dumps(values, default=str)
    return Configuration.model_construct(**dict(given.model_validate_json(text, strict=True)))


def _problems(error: ValidationError) -> Iterable[Text]:
    for one in error.errors(include_url=False):
        key = ".".join(str(part) for part in one["loc"])
        match one["type"]:
            case "missing":
                yield T("{key}: is missing; it has to be set", key=key)
            case "extra_forbidden":
                yield T(
                    "{key}: there is no such key; allowed here: {allowed}",
                    key=key,
                    allowed=", ".join(_allowed(one["loc"])),
                )
            case _:
                message = one["msg"].removeprefix("Value error, ").removeprefix("Input ")
                yield T(
                    "{key} = {value}: {allowed}",
                    key=key,
                    value="***" if _is_secret(one["loc"]) else repr(one["input"]),
                    allowed=message,
                )


def _is_secret(location: tuple[int | str, ...]) -> bool:
    """Tell whether a value may be a channel's address or a store's secret, which do not belong
    in the file."""
    if location[:1] == ("stores",):
        return not _SECRETS.isdisjoint(location)
    if location[:2] != ("alerts", "channels"):
        return False
    return len(location) < 4 or str(location[3]).startswith("url")


def _allowed(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the section in which the key at `location` stands."""
    section: type[BaseModel] = Configuration
    for part in location[:-1]:
        if isinstance(part, str):
            annotation = section.model_fields[part].annotation
            candidates = (annotation, *getattr(annotation, "__args__", ()))
            section = next(
                c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)
            )
    return sorted(section.model_fields)
