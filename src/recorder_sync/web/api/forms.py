"""The forms of the API: what it takes and what it gives. Times are ISO 8601 with a zone."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.model import Case
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.rules.documents import Change, Clearable, DocumentKind
from recorder_sync.rules.stage import Stage

Number = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class Problem(BaseModel):
    """What went wrong, in English, and what to do next."""

    error: str
    problems: list[str]
    hint: str | None


class OfficerForm(BaseModel):
    cert_no: str
    name: str | None


class RecordingForm(BaseModel):
    """The RECORDING that commands print with `--json`; more may be added to it."""

    model_config = ConfigDict(extra="allow")

    id: str
    device: str | None
    officer: OfficerForm | None
    case: str | None
    kind: str
    original_name: str
    size: int
    blake3: str
    sha256: str
    recorded_start: str
    recorded_end: str | None
    duration_s: float | None
    state: str
    sealed_at: str
    deadline: str
    on_time: bool
    flags: list[str]


class CustodyEntryForm(BaseModel):
    seq: int
    time: str
    actor: str
    act: str
    leaf: str
    """Leaf hash in the tree of the custody log, hexadecimal."""


class WholeRecordingForm(RecordingForm):
    custody: list[CustodyEntryForm]
    verified_at: str | None


class RecordingsForm(BaseModel):
    recordings: list[RecordingForm]
    next: str | None
    """Cursor of the next page; null on the last."""


class CaseForm(BaseModel):
    number: str
    party: str | None
    cause: str | None
    closed_on: date | None

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(number=case.number, party=case.party, cause=case.cause, closed_on=case.closed_on)


class NewCase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Number
    party: Words | None = None
    cause: Words | None = None


class Closing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Number
    on: Annotated[date, Field(ge=date(1990, 1, 1))]
    """The station's local day on which the enforcement ended (Art. 26)."""


class CasesForm(BaseModel):
    cases: list[CaseForm]
    next: str | None


class DocumentForm(BaseModel):
    """A document as `recorder-sync cases documents list --json` prints it."""

    model_config = ConfigDict(extra="allow")

    id: str
    case: str
    title: str
    kind: str
    number: str | None
    stage: str | None
    item: str | None
    original_name: str
    size: int
    blake3: str
    sha256: str
    handed_in_by: str
    handed_in_at: str
    sealed_at: str
    recordings: list[str]
    corrections: list["CorrectionForm"]


class CorrectionForm(BaseModel):
    """What was corrected of a document; `before` and `after` have all that can be."""

    custody_seq: int
    at: str
    by: str
    reason: str
    before: dict[str, str | None]
    after: dict[str, str | None]


class DocumentCorrection(BaseModel):
    """What is right; what is left out stays. Number, stage and item may be null: it has none."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    by: Number | None = None
    """Who corrects it; left out: the token's name."""
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    kind: DocumentKind | None = None
    number: Number | None = None
    stage: Stage | None = None
    item: Number | None = None

    @property
    def change(self) -> Change:
        said = self.model_fields_set
        return Change(
            title=self.title,
            kind=self.kind,
            number=self.number,
            stage=self.stage,
            item=self.item,
            cleared=frozenset(
                one for one in Clearable if one.value in said and getattr(self, one.value) is None
            ),
        )


class CorrectedDocument(BaseModel):
    """A request to correct, by which it is known again."""

    document: str
    said: dict[str, str | None]


class DocumentsForm(BaseModel):
    documents: list[DocumentForm]


class NewDocument(BaseModel):
    """What was handed in, by which a request is known again."""

    case: str
    title: str
    kind: str
    number: str | None
    stage: str | None
    item: str | None
    name: str
    blake3: str


class HandedInForm(BaseModel):
    id: str
    case: str
    is_sealed: bool
    """False: it is sealed within moments, and listed then."""


class CalendarForm(BaseModel):
    """One line of the duty calendar."""

    model_config = ConfigDict(extra="forbid")

    id: Number
    kind: CalendarKind
    begins: AwareDatetime
    ends: AwareDatetime
    officer: Number | None = None
    device: Number | None = None
    case: Number | None = None
    in_full: bool = False

    @model_validator(mode="after")
    def _is_one_of_ours(self) -> Self:
        if not self.begins < self.ends:
            raise ValueError("begins should be before ends")
        if not all(1990 <= at.year <= 2200 for at in (self.begins, self.ends)):
            raise ValueError("the years should be 1990 to 2200")
        if self.kind is CalendarKind.SHIFT and self.officer is None:
            raise ValueError("a shift needs an officer")
        return self

    def entry(self) -> CalendarEntry:
        return CalendarEntry(**self.model_dump())


class KnownCalendarForm(BaseModel):
    id: str
    kind: CalendarKind
    begins: datetime
    ends: datetime
    officer: str | None
    device: str | None
    case: str | None
    in_full: bool
    reason: NoRecordingReason | None
    """Why nothing was recorded, as a person explained it."""

    @classmethod
    def of(cls, one: CalendarEntry) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class CalendarEntriesForm(BaseModel):
    calendar: Annotated[list[CalendarForm], Field(min_length=1, max_length=10_000)]


class KnownCalendarEntriesForm(BaseModel):
    calendar: list[KnownCalendarForm]


class EnteredForm(BaseModel):
    entered: int
    """How many of them were new or changed."""


class DevicesForm(BaseModel):
    devices: list[dict[str, Any]]
    """As `recorder-sync devices list --json` prints them."""


class AlertsForm(BaseModel):
    alerts: list[dict[str, Any]]
    """As `recorder-sync alerts list --json` prints them, the worst first."""


class CheckpointForm(BaseModel):
    checkpoint: str
    """The newest signed note over the custody log (C2SP tlog-checkpoint)."""
    verifier_key: str
