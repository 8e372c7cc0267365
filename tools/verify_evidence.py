"""Checks evidence of recorder-sync without recorder-sync. 独立核验程序。

One file, Python 3.9 or later on any system, nothing else needed. It was written to be read:
an expert can go through all of it in half an hour. docs/custody-format.md specifies what it
reads; docs/inspector.md says in plain words what its answers are worth.

    python verify_evidence.py log FOLDER                      a custody log (保管链)
    python verify_evidence.py proof FILE [--file RECORDING]   one proof of one sealing
    python verify_evidence.py evidence FOLDER --log FOLDER    an evidence store, or a part (--at)
    python verify_evidence.py export FOLDER [--log FOLDER]    a handed-over copy
    python verify_evidence.py                                 the copy that this file lies in
    python verify_evidence.py consistency FILE                that a log only grew
    python verify_evidence.py compare NOTE NOTE --log FOLDER  two people's checkpoints: one log?

What it proves: these bytes are those that were sealed; the entry of the sealing stands in the
log at that number; and the holder of the station's key signed that log. What it cannot prove:
that a picture shows the truth; that the station's clock was right; that the key was not stolen;
that the station did not keep a second log, unless somebody else keeps one of its checkpoints
(--checkpoint, compare) or a witness cosigned (--witness). Trust comes only from the keys that
you were given in another way (--verifier). A key that lies beside the evidence proves no more
than that everything fits together.

Exit code: 0 all that was checked holds; 1 something does not; 2 wrong usage, or unreadable.
Memory: constant, whatever the size of a log or recording; for an evidence store about 1 KiB
for each recording. Without the library `cryptography` signatures are checked by the code below.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import locale
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO, Callable, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None  # type: ignore[assignment,misc]
try:
    from blake3 import blake3
except ImportError:
    blake3 = None  # type: ignore[assignment,misc]

LONGEST_LINE = LARGEST_FILE = 64 << 20  # bytes of a log's line, or of a proof or description
LARGEST_NOTE = 1 << 20
MOST_FINDINGS = 1_000  # that are listed; the others are counted
CHUNK = 1 << 20


class Wrong(Exception):
    """Something is not what it has to be: the name of a text in TEXTS, and its values."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


@dataclass
class Report:
    """What held, what did not, and what could not be checked."""

    held: list[Wrong] = field(default_factory=list)
    findings: list[Wrong] = field(default_factory=list)
    open: list[Wrong] = field(default_factory=list)
    count: int = 0  # of all findings
    vouched: bool = True  # by a key that the user gave
    unproven: int = 0  # recordings for which neither a proof nor a log vouches
    denied: int = 0  # files and folders that this user has no right to read

    def holds(self, code: str, **values: object) -> None:
        self.held.append(Wrong(code, **values))

    def finds(self, code: str, **values: object) -> None:
        self.count += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Wrong(code, **values))

    def cannot_read(self, code: str, *, why: Exception, **values: object) -> None:
        """A missing right says nothing of the evidence; whatever else hinders is a finding."""
        if not isinstance(why, PermissionError):
            self.finds(code, why=why, **values)
            return
        self.denied += 1
        if self.denied <= MOST_FINDINGS:
            self.leaves_open("no-right", file=values["file"], why=why)

    def leaves_open(self, code: str, **values: object) -> None:
        if all((one.code, one.values) != (code, values) for one in self.open):
            self.open.append(Wrong(code, **values))


class Progress:
    """A line on a terminal that says how far it is."""

    def __init__(self, quiet: bool) -> None:
        self.on = not quiet and sys.stderr.isatty()
        self.read, self.next = 0, time.monotonic() + 1

    def add(self, count: int) -> None:
        self.read += count
        if self.on and time.monotonic() >= self.next:
            self.next = time.monotonic() + 1
            print(f"\r{self.read / (1 << 20):.0f} MiB", end=" ", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.on:
            print("\r" + " " * 30, end="\r", file=sys.stderr, flush=True)


# --- Reading what may be hostile -------------------------------------------------------------


def opened(path: str, follow: bool = False) -> BinaryIO:
    """Open a regular file; a link, pipe or device in its place is Wrong. Raises OSError."""
    if not stat.S_ISREG((os.stat if follow else os.lstat)(path).st_mode):
        raise Wrong("no-regular-file")
    return open(path, "rb")


def small_file(path: str, limit: int = LARGEST_FILE, follow: bool = False) -> bytes:
    with opened(path, follow) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Wrong("too-large")
    return data


def _whole(text: str) -> float:
    if len(text) > 25:
        raise Wrong("json-number")
    return int(text) if abs(int(text)) < 1 << 53 else float(text)


def _fraction(text: str) -> float:
    if len(text) > 100 or float(text) in (float("inf"), float("-inf")):
        raise Wrong("json-number")
    return float(text)


def _constant(_text: str) -> float:
    raise Wrong("json-number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("json-twice")
    return found


def _fraction_in_line(text: str) -> float:
    if _number(_fraction(text)) != text:
        raise Wrong("not-canonical")
    return float(text)


def _decoder(parse_float: Callable[[str], float]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_int=_whole,
        parse_float=parse_float,
        parse_constant=_constant,
    )


ANY_JSON, LINE_JSON = _decoder(_fraction), _decoder(_fraction_in_line)
QUICK = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def parsed(data: bytes, decoder: json.JSONDecoder = ANY_JSON) -> Any:
    """Return the value of a JSON text. Raises Wrong for what readers could take differently."""
    try:
        return decoder.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Wrong("no-json") from None


def value_of_line(line: bytes) -> Any:
    """Return the value of a text in canonical form. Raises Wrong for any other.

    Python's encoder is ten times faster than ours and writes the same, but for some fractions
    (then the two differ) and for the order of names beyond U+FFFF: those take the slow way.
    """
    value = parsed(line, LINE_JSON)
    try:
        is_same = QUICK.encode(value).encode("utf-8") == line
    except (ValueError, RecursionError):
        raise Wrong("no-json") from None
    if is_same and (line.isascii() or not re.search(rb"[\xf0-\xf4]", line)):
        return value
    if canonical(value) != line:
        raise Wrong("not-canonical")
    return value


def canonical(value: Any) -> bytes:
    """Return the canonical form (RFC 8785) of a parsed value."""
    try:
        return _canonical(value).encode("utf-8")
    except (ValueError, RecursionError):  # half a character; too deep
        raise Wrong("no-json") from None


def _canonical(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join([_canonical(one) for one in value]) + "]"
    if isinstance(value, dict):  # sorted as UTF-16, says the RFC
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        members = [json.dumps(n, ensure_ascii=False) + ":" + _canonical(value[n]) for n in names]
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """Write a fraction as JavaScript does (RFC 8785, 3.2.2.3)."""
    if value == 0:
        return "0"
    _, numerals, exponent = Decimal(repr(abs(value))).as_tuple()
    digits = "".join(map(str, numerals)).lstrip("0")
    point = len(digits) + int(exponent)  # digits before the decimal point
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        rest = "." + digits[1:] if len(digits) > 1 else ""
        text = f"{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return ("-" if value < 0 else "") + text


def unbase64(text: object, length: int | None = None) -> bytes:
    """Return what a base64 text holds; there is one text for each value. Raises Wrong."""
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    if not data or base64.b64encode(data).decode() != text or length not in (None, len(data)):
        raise Wrong("no-base64")
    return data


def is_number(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 53


# --- Ed25519 signatures (RFC 8032, 5.1.7), where no library is there ---------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
NEUTRAL = (0, 1, 1, 0)


def point_of(data: bytes) -> Point | None:
    """Decode a point (5.1.3); None for what is no point, or not its one canonical encoding."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def bytes_of(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def added(one: Point, other: Point) -> Point:
    """Add two points (5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


def signed_by_hand(key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether [S]B = R + [k]A, for encodings that `is_signed` found canonical."""
    point = point_of(key) or NEUTRAL
    minus = (P - point[0], point[1], point[2], P - point[3])
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    both, found = added(BASE, minus), NEUTRAL
    for bit in range(252, -1, -1):  # [S]B - [k]A in one go
        found = added(found, found)
        which = (s >> bit & 1, k >> bit & 1)
        if which != (0, 0):
            found = added(found, {(1, 0): BASE, (0, 1): minus, (1, 1): both}[which])
    return bytes_of(found) == signature[:32]


def signed_by_library(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether an Ed25519 signature is right; the same with library and without.

    Encodings must be canonical. A key of small order, which would sign anything, is refused.
    """
    point = point_of(key)
    if point is None or len(signature) != 64 or point_of(signature[:32]) is None:
        return False
    for _ in range(3):
        point = added(point, point)
    if bytes_of(point) == bytes_of(NEUTRAL) or int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    check = signed_by_hand if Ed25519PublicKey is None else signed_by_library
    return check(key, signature, message)


# --- Keys and signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ---------------

LOG_KEY, WITNESS_KEY = 1, 4


class Key(NamedTuple):
    """A verifier key: `name+id+base64`."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        data = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(data).digest()[:4]

    @property
    def text(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


def key_of(text: object, kind: int = LOG_KEY) -> Key:
    name, _, rest = text.partition("+") if isinstance(text, str) else ("", "", "")
    _, _, encoded = rest.partition("+")
    with contextlib.suppress(Wrong, ValueError):
        data = unbase64(encoded, 33)
        key = Key(name, data[0], data[1:])
        if data[0] == kind and key.text == text and name and not re.search(r"\s", name):
            return key
    raise Wrong("no-key")


def keys_of(given: Sequence[str] | None, kind: int = LOG_KEY) -> list[Key]:
    """Return the keys that the user gave, as texts or in files with one key a line."""
    texts: list[str] = []
    for one in given or ():
        if os.path.isfile(one):
            data = small_file(one, LARGEST_NOTE, follow=True).decode("utf-8", "replace")
            texts += data.lstrip("\ufeff").split()
        else:
            texts.append(one.strip())
    try:
        return [key_of(text, kind) for text in texts]
    except Wrong:
        raise Wrong("no-key-given", keys=", ".join(texts)) from None


class Note(NamedTuple):
    """A checkpoint: the log had `size` entries with this root. Whose word that is comes after."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: list[tuple[str, bytes, bytes]]  # name, key id, signature

    @property
    def says(self) -> tuple[str, int, bytes]:
        return self.origin, self.size, self.root

    def signers(self, keys: Iterable[Key]) -> list[Key]:
        """Return which of these keys signed. Raises Wrong where one's signature is false."""
        signers = []
        for key in keys:
            for name, number, signature in self.signatures:
                if (name, number) == (key.name, key.id):
                    if not is_signed(key.public, signature, self.text.encode()):
                        raise Wrong("false-signature", name=key.name)
                    signers.append(key)
        return signers

    def cosigned(self, witness: Key) -> int | None:
        """Return when a witness cosigned, in seconds since 1970. Raises Wrong."""
        newest = None
        for name, number, data in self.signatures:
            if (name, number) == (witness.name, witness.id):
                at = int.from_bytes(data[:8], "big")
                message = f"cosignature/v1\ntime {at}\n{self.text}".encode()
                if len(data) != 72 or not is_signed(witness.public, data[8:], message):
                    raise Wrong("false-signature", name=name)
                newest = max(at, newest or 0)
        return newest


def note_of(data: object) -> Note:
    """Return a note whose signatures are yet to be checked. Raises Wrong."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else str(data)
        text.encode()
        body, separator, rest = text.rpartition("\n\n")
        origin, size, root = [*body.split("\n"), "", ""][:3]
        lines = [line.split(" ") for line in rest.split("\n")]
        if lines.pop() != [""] or not lines or len(lines) > 100 or not separator or not origin:
            raise Wrong("no-note")
        if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text) or not re.fullmatch(
            r"0|[1-9][0-9]{0,15}", size, re.ASCII
        ):
            raise Wrong("no-note")
        signatures = []
        for dash, name, encoded in lines:
            signature = unbase64(encoded)
            if dash != "—" or not name or "+" in name or len(signature) < 5:
                raise Wrong("no-note")
            signatures.append((name, signature[:4], signature[4:]))
        return Note(body + "\n", origin, int(size), unbase64(root, 32), signatures)
    except (ValueError, Wrong):
        raise Wrong("no-note") from None


def notes_of(check: Check, path: str) -> list[tuple[str, Note]]:
    """Return the notes of a file that somebody keeps, one after the other. Raises Wrong."""
    text = small_file(path, follow=True).decode("utf-8", "replace")
    pieces = re.findall(r"[^\n]+\n[0-9]+\n[^\n]{43}=\n(?:[^\n]+\n)*\n(?:— [^\n]*\n)+", text)
    if len("".join(pieces)) < len(text) and pieces:
        check.report.leaves_open("between-notes", file=path)
    return [(path, note_of(piece)) for piece in pieces or [text]]


def note_in(path: str, follow: bool = False) -> Note:
    return note_of(small_file(path, LARGEST_NOTE, follow))


# --- The tree (RFC 6962, 2.1) ------------------------------------------------------------------


def leaf_of(line: bytes) -> bytes:
    return hashlib.sha256(b"\0" + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    """Return the largest power of two below `size`: so many leaves are on the left."""
    return 1 << (size - 1).bit_length() - 1


class Tree:
    """Grows leaf by leaf; keeps only the roots of the complete trees side by side."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf, size = node(self.peaks.pop(), leaf), size >> 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256().digest()
        found = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            found = node(peak, found)
        return found


def hashes_of(texts: object) -> list[bytes]:
    if not isinstance(texts, list) or len(texts) > 200:
        raise Wrong("bad-path")
    return [unbase64(one, 32) for one in texts]


def root_by_path(leaf: bytes, number: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a leaf and its audit path (2.1.1) lead to. Raises Wrong."""
    if not 0 <= number < size or (size == 1) != (not path):
        raise Wrong("bad-path")
    if size == 1:
        return leaf
    left = split(size)
    if number < left:
        return node(root_by_path(leaf, number, left, path[:-1]), path[-1])
    return node(path[-1], root_by_path(leaf, number - left, size - left, path[:-1]))


def roots_by_proof(
    old: int, new: int, proof: list[bytes], known: bytes | None
) -> tuple[bytes, bytes]:
    """Return both roots that a consistency proof (2.1.2) leads to. Raises Wrong.

    `known` is the old root while everything to the left is in the old tree.
    """
    if not 1 <= old <= new or (old == new and len(proof) != (known is None)):
        raise Wrong("bad-path")
    if old == new:
        found = proof[0] if known is None else known
        return found, found
    if not proof:
        raise Wrong("bad-path")
    left = split(new)
    if old <= left:
        first, second = roots_by_proof(old, left, proof[:-1], known)
        return first, node(second, proof[-1])
    first, second = roots_by_proof(old - left, new - left, proof[:-1], None)
    return node(proof[-1], first), node(proof[-1], second)


# --- Entries, and keys that change over time ---------------------------------------------------


class Entry(NamedTuple):
    number: int
    previous: str
    station: str
    time: str
    act: str
    subject: str
    facts: dict[str, Any]


FIELDS = {"seq", "prev", "station", "time", "actor", "act", "subject", "facts"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def entry_of(line: bytes) -> Entry:
    """Read a line of the log, without its newline. Raises Wrong."""
    value = value_of_line(line)
    if not isinstance(value, dict) or set(value) != FIELDS or not is_number(value["seq"]):
        raise Wrong("no-entry")
    texts = {name: value[name] for name in FIELDS - {"seq", "facts"}}
    if not all(isinstance(text, str) for text in texts.values()):
        raise Wrong("no-entry")
    if not isinstance(value["facts"], dict) or not TIME.fullmatch(texts["time"]):
        raise Wrong("no-entry")
    return Entry(
        value["seq"],
        texts["prev"],
        texts["station"],
        texts["time"],
        texts["act"],
        texts["subject"],
        value["facts"],
    )


class Seal(NamedTuple):
    """What a seal entry says of a recording, or one of a document of a case."""

    number: int
    recording: dict[str, Any]
    path: str
    size: int
    digests: dict[str, str]  # of the recording, by algorithm
    description: dict[str, str]  # digests of the description


SEALS = {"seal": "recording", "document": "document"}  # by act, where the facts have it


def seal_of(entry: Entry) -> Seal:
    facts = entry.facts
    recording = facts.get(SEALS.get(entry.act, ""))
    if not isinstance(recording, dict):
        raise Wrong("no-seal")
    digests = {name: recording.get(name) for name in ("sha256", "blake3")}
    described = {name: facts.get(f"description_{name}") for name in ("sha256", "blake3")}
    if recording.get("sm3") is not None:
        digests["sm3"] = recording["sm3"]
    both = [*digests.values(), *described.values()]
    if not all(isinstance(one, str) and re.fullmatch("[0-9a-f]{64}", one) for one in both):
        raise Wrong("no-seal")
    path = recording.get("path")
    if not isinstance(path, str) or not is_number(recording.get("size")):
        raise Wrong("no-seal")
    parts = path.split("/")
    if recording.get("id") != entry.subject or any(
        part in ("", ".", "..") or re.search(r"[\x00-\x1f\\:]", part) for part in parts
    ):
        raise Wrong("no-seal")
    return Seal(entry.number, recording, path, recording["size"], digests, described)  # type: ignore[arg-type]


class Rotation(NamedTuple):
    number: int
    old: Key
    new: Key


def rotation_of(entry: Entry, before: Sequence[Rotation]) -> Rotation:
    """Read the entry of a change of keys; both keys must have signed it. Raises Wrong."""
    facts, origin = entry.facts, f"recorder-sync/{entry.station}"
    found = Rotation(entry.number, key_of(facts.get("old")), key_of(facts.get("new")))
    message = f"recorder-sync key rotation\n{origin}\n{found.old.text}\n{found.new.text}\n".encode()
    for key, name in ((found.old, "old_signature"), (found.new, "new_signature")):
        if key.name != origin or not is_signed(key.public, unbase64(facts.get(name)), message):
            raise Wrong("false-rotation", number=entry.number)
    if entry.act != "key-rotated" or entry.subject != origin:
        raise Wrong("false-rotation", number=entry.number)
    if before and (before[-1].new != found.old or before[-1].number >= found.number):
        raise Wrong("false-rotation", number=entry.number)
    if found.new in {found.old, *(one.old for one in before)}:  # no key comes back
        raise Wrong("false-rotation", number=entry.number)
    return found


def vouching(size: int, given: list[Key], rotations: Sequence[Rotation]) -> list[Key]:
    """Return the keys of which one must have signed a checkpoint of this size.

    Who trusts one key of a chain of changes trusts those after it, each for its own time. An
    older key alone vouches for nothing: it may have been given up because it was stolen.
    """
    chain = chain_of(rotations)
    trusted = [at for at, key in enumerate(chain) if key in given]
    if not trusted:
        return given
    past = sum(one.number + 1 < size for one in rotations)
    is_first = past < len(rotations) and rotations[past].number + 1 == size
    return chain[max(past, trusted[0]) : past + 1 + is_first]


def chain_of(rotations: Sequence[Rotation]) -> list[Key]:
    return [rotations[0].old, *(one.new for one in rotations)] if rotations else []


class Check:
    """One run: the keys that are trusted, where they came from, and the report."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.report = Report()
        self.progress = Progress(options.json)
        self.given = keys_of(options.verifier)
        self.witnesses = keys_of(options.witness, WITNESS_KEY)

    def trust_inside(self, text: object) -> None:
        """Without a key from the user, take the one beside the evidence, and say so."""
        if not self.given:
            key = key_of(text)
            self.given = [key]
            self.report.vouched = False
            self.report.leaves_open("key-from-inside", key=key.text)

    def signed(self, note: Note, rotations: Sequence[Rotation], also_older: bool = False) -> bool:
        """Raise Wrong unless the right key signed the note.

        With `also_older` the key of its time may be older than those that are trusted; then
        the answer is False: somebody else has to vouch for what it says.
        """
        chain = chain_of(rotations)
        known = {*self.given, *(chain if set(chain) & set(self.given) else ())}
        signers = {key for key in note.signers(known) if key.name == note.origin}
        if not signers:
            raise Wrong("not-signed")
        if signers & set(vouching(note.size, self.given, rotations)):
            return True
        if also_older and signers & set(vouching(note.size, chain[:1], rotations)):
            return False
        raise Wrong("retired-key")

    def signed_by_other(
        self, note: Note, rotations: Sequence[Rotation], text: object
    ) -> Key | None:
        """Return None where the right key signed, or the other key that a document brings along.

        That one has the name of a given key: it is an earlier key of that station, or a
        forger's. Raises Wrong where neither signed.
        """
        try:
            self.signed(note, rotations)
        except Wrong as why:
            key = key_of(text) if why.code == "not-signed" else None
            if key is None or key.name not in {one.name for one in self.given}:
                raise
            if key.name != note.origin or not note.signers([key]):
                raise
            return key
        return None

    def cosigned(self, notes: Iterable[tuple[str, Note]]) -> None:
        """Say for which checkpoints the given witnesses vouch, and which were not asked for."""
        newest: dict[Key, tuple[int, int]] = {}
        others: set[str] = set()
        known = {witness.name for witness in self.witnesses}
        for file, note in notes:
            others |= {name for name, *_ in note.signatures if name != note.origin} - known
            for witness in self.witnesses:
                try:
                    at = note.cosigned(witness)
                except Wrong as why:
                    self.report.finds("bad-note", file=file, why=why)
                    continue
                if at is not None:
                    newest[witness] = max(newest.get(witness, (0, 0)), (note.size, at))
        for witness in self.witnesses:
            if witness in newest:
                size, at = newest[witness]
                when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(at, 1 << 34)))
                self.report.holds("witness", name=witness.name, size=size, when=when)
            else:
                self.report.finds("no-witness", name=witness.name)
        if others:
            self.report.leaves_open("other-witness", names=", ".join(sorted(others)))


# --- A custody log -----------------------------------------------------------------------------


class Passed(NamedTuple):
    """What one pass over a log found."""

    size: int
    roots: dict[int, bytes]  # for the sizes asked for
    rotations: list[Rotation]


Seen = Callable[[Entry, bytes], None]


def read_log(check: Check, folder: str, sizes: set[int], seen: Seen | None = None) -> Passed:
    """Go once through all entries: form, numbers, links, roots. Raises OSError."""
    report, tree = check.report, Tree()
    rotations: list[Rotation] = []
    roots = {0: tree.root()}
    expected, previous, station, latest, backwards = 0, "0" * 64, "", "", 0
    for file, place, line in log_lines(check, folder):
        if place == 1 and int(file[:20]) != expected:
            report.finds("segment-name", file=file, number=expected)
        try:
            entry = entry_of(line)
        except Wrong as why:
            report.finds("bad-line", file=file, line=place, why=why)
            expected += 1
        else:
            if entry.number != expected:
                report.finds("wrong-number", file=file, line=place, number=expected)
            elif entry.previous != previous:
                report.finds("wrong-link", file=file, line=place, number=expected)
            if entry.station != (station or entry.station):
                report.finds("other-station", file=file, line=place)
            backwards += entry.time < latest
            expected, station, latest = entry.number + 1, entry.station, entry.time
            if entry.act == "key-rotated":
                rotations += check_rotation(check, entry, rotations)
            if seen:
                seen(entry, line)
        leaf = leaf_of(line)
        tree.add(leaf)
        previous = leaf.hex()
        if tree.size in sizes:
            roots[tree.size] = tree.root()
    if not tree.size:
        raise Wrong("no-log")
    report.holds("entries", count=tree.size, station=station)
    report.leaves_open("clock", times=backwards)
    if rotations:
        report.holds("rotations", count=len(rotations))
    return Passed(tree.size, roots, rotations)


def check_rotation(check: Check, entry: Entry, before: Sequence[Rotation]) -> list[Rotation]:
    try:
        return [rotation_of(entry, before)]
    except Wrong:
        check.report.finds("false-rotation", number=entry.number)
        return []


def log_lines(check: Check, folder: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield file, number of the line in it, and the line without its newline."""
    names = sorted(os.listdir(folder))
    segments = [name for name in names if re.fullmatch(r"[0-9]{20}\.jsonl", name, re.ASCII)]
    for segment in segments:
        try:
            file = opened(os.path.join(folder, segment))
        except Wrong as why:
            check.report.finds("bad-line", file=segment, line=1, why=why)
            continue
        with file:
            place = 0
            while line := file.readline(LONGEST_LINE):
                place += 1
                check.progress.add(len(line))
                if line.endswith(b"\n"):
                    yield segment, place, line[:-1]
                elif segment == segments[-1] and len(line) < LONGEST_LINE:
                    check.report.leaves_open("torn", file=segment, bytes=len(line))
                else:
                    check.report.finds("cut-line", file=segment, line=place)
                    break
    aside = [name for name in names if ".torn-" in name]
    if aside:
        check.report.leaves_open("set-aside", files=", ".join(aside[:10]), count=len(aside))


def notes_below(check: Check, folder: str, shown: str) -> Iterator[tuple[str, Note]]:
    """Yield the checkpoints in a folder, which may be missing; name what is none."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    stamps = [name for name in names if name.endswith(".tsr")]
    if stamps:
        check.report.leaves_open("time-stamps", count=len(stamps), folder=shown)
    for name in names:
        if name.endswith((".tsr", ".tsq")) or name.startswith((".", "lock", "sent-")):
            continue
        try:
            note = note_in(os.path.join(folder, name))
            if not re.fullmatch(r"[0-9]{1,20}", name, re.ASCII) or int(name) != note.size:
                raise Wrong("other-size", size=note.size)
            yield f"{shown}/{name}", note
        except PermissionError:
            raise
        except (Wrong, OSError) as why:
            check.report.finds("bad-note", file=f"{shown}/{name}", why=why)


def key_inside(check: Check, folder: str) -> str | None:
    """Return the key that lies in the log's folder, trusted where the user gave none."""
    try:
        data = small_file(os.path.join(folder, "verifier-key"), LARGEST_NOTE)
        text = data.decode("utf-8", "replace").strip()
        check.trust_inside(text)
        return text
    except FileNotFoundError:
        if not check.given:
            raise Wrong("needs-key") from None
    except Wrong as why:
        check.report.finds("unreadable", file="verifier-key", why=why)
    return None


def check_own_key(check: Check, inside: str, passed: Passed) -> None:
    """Hold the key that lies in the log's folder against those that are trusted."""
    newest = vouching(passed.size + 1, check.given, passed.rotations)
    if inside not in [key.text for key in newest]:
        check.report.finds("other-key", key=inside)


class Agreed(NamedTuple):
    """For how many entries of a log a checkpoint vouches, and which checkpoints it agrees with."""

    size: int
    files: set[str]


def check_log(
    check: Check,
    folder: str,
    held: Sequence[str] | None,
    seen: Seen | None = None,
    store: str | None = None,
    of_proofs: Sequence[tuple[str, Note]] = (),
) -> Agreed:
    """Check a log against every checkpoint.

    `held` are files with checkpoints that others keep, `store` an evidence store with copies,
    `of_proofs` the checkpoints of proofs.
    """
    report = check.report
    inside = key_inside(check, folder)
    places = [(folder, "checkpoints"), (folder, "witnessed")]
    if store:
        stations = sorted({key.name.partition("/")[2] for key in check.given})
        places += [(store, f".checkpoints/{station}") for station in stations if station]
    notes: list[tuple[str, Note]] = []
    for where, name in places:
        notes += notes_below(check, os.path.join(where, *name.split("/")), name)
    for path in held or ():
        try:
            notes += notes_of(check, path)
        except Wrong as why:
            report.finds("bad-note", file=path, why=why)
    notes += of_proofs
    passed = read_log(check, folder, {note.size for _, note in notes}, seen)
    if inside is not None:
        check_own_key(check, inside, passed)
    good = agreeing(check, notes, passed)
    vouched = max((note.size for _, note, is_vouched in good if is_vouched), default=0)
    if vouched:
        report.holds("checkpoints", count=len(good), size=vouched)
    else:
        report.finds("no-checkpoint")
    if vouched < passed.size:
        report.leaves_open("after-last", count=passed.size - vouched)
    check.cosigned([(file, note) for file, note, _ in good])
    return Agreed(vouched, {file for file, *_ in good})


def agreeing(
    check: Check, notes: Sequence[tuple[str, Note]], passed: Passed
) -> list[tuple[str, Note, bool]]:
    """Return the checkpoints that are signed and that the log agrees with; name the others.

    With each, whether a key that is trusted vouches for it, or one before those.
    """
    good, beyond, differing = [], [], []
    for file, note in notes:
        try:
            is_vouched = check.signed(note, passed.rotations, also_older=True)
        except Wrong as why:
            check.report.finds("bad-note", file=file, why=why)
            continue
        if note.size > passed.size:
            beyond.append((note.size, file))
        elif passed.roots[note.size] != note.root:
            differing.append((note.size, file))
        else:
            good.append((file, note, is_vouched))
    if beyond:
        size, file = max(beyond)
        values = {"count": passed.size, "notes": len(beyond)}
        check.report.finds("entries-gone", file=file, size=size, **values)
    if differing:
        size, file = min(differing)
        values = {
            "good": max((note.size for _, note, _ in good if note.size < size), default=0),
            "notes": len(differing),
        }
        check.report.finds("other-entries", file=file, size=size, **values)
    return good


def check_evidence_log(check: Check, options: argparse.Namespace) -> None:
    check_log(check, options.path, options.checkpoint)


# --- Files against their seals -----------------------------------------------------------------


def digests_of(check: Check, path: str, wanted: Iterable[str]) -> tuple[int, dict[str, str]]:
    """Return size and digests of a file, read once. Raises OSError or Wrong."""
    digests: dict[str, Any] = {"sha256": hashlib.sha256()}
    if "blake3" in wanted and blake3 is not None:
        digests["blake3"] = blake3()
    if "sm3" in wanted:
        with contextlib.suppress(ValueError):
            digests["sm3"] = hashlib.new("sm3")
    for name in wanted:
        if name not in digests:
            check.report.leaves_open("no-algorithm", name=name.upper())
    size = 0
    with opened(path) as file:
        while data := file.read(CHUNK):
            size += len(data)
            check.progress.add(len(data))
            for digest in digests.values():
                digest.update(data)
    return size, {name: digest.hexdigest() for name, digest in digests.items()}


def check_recording(check: Check, path: str, shown: str, seal: Seal) -> bool:
    """Check a recording's file against its seal."""
    try:
        size, found = digests_of(check, path, seal.digests)
    except FileNotFoundError:
        check.report.finds("missing", file=shown, number=seal.number)
    except (OSError, ValueError, Wrong) as why:
        check.report.cannot_read("unreadable", file=shown, why=why)
    else:
        wrong = [name for name in found if found[name] != seal.digests[name]]
        if not wrong and size == seal.size:
            return True
        check.report.finds(
            "changed",
            file=shown,
            number=seal.number,
            size=size,
            sealed_size=seal.size,
            sha256=found["sha256"],
            sealed_sha256=seal.digests["sha256"],
            names=", ".join(name.upper() for name in wrong),
        )
    return False


def check_description(check: Check, path: str, shown: str, seal: Seal) -> bool:
    """Check the file with a recording's description: its digests, and that it says the same."""
    try:
        data = small_file(path)
        if canonical(parsed(data)) != canonical(seal.recording):
            raise Wrong("says-other")
        if hashlib.sha256(data).hexdigest() != seal.description["sha256"]:
            raise Wrong("says-other")
        if blake3 is not None and blake3(data).hexdigest() != seal.description["blake3"]:
            raise Wrong("says-other")
        return True
    except FileNotFoundError:
        check.report.finds("missing", file=shown, number=seal.number)
    except (OSError, ValueError, Wrong) as why:
        check.report.cannot_read("description", file=shown, number=seal.number, why=why)
    return False


LISTS = (("SHA256SUMS", "sha256"), ("B3SUMS", "blake3"))
SM3_LIST = "SM3SUMS"  # beside copies of recordings that were sealed with SM3; none else


def check_lists(check: Check, folder: str, shown: str, seals: dict[str, Seal]) -> None:
    """Check the digest lists of a folder; `seals` has the names that belong into it."""
    for list_name, algorithm in LISTS:
        wanted = set()
        for name, seal in seals.items():
            wanted.add(f"{seal.digests[algorithm]}  {name}".encode())
            wanted.add(f"{seal.description[algorithm]}  {name}.json".encode())
        check_list(check, os.path.join(folder, list_name), shown + list_name, wanted)


def check_list(check: Check, path: str, file: str, wanted: set[bytes]) -> None:
    """Check one digest list, called `file`, which has to hold the `wanted` lines."""
    try:
        lines = small_file(path).split(b"\n")
    except (OSError, Wrong) as why:
        check.report.cannot_read("unreadable", file=file, why=why)
        return
    if lines.pop() != b"" or sorted(lines) != sorted(wanted):
        other = sorted(set(lines) ^ wanted) or [b"?"]
        named = other[0][66:].decode("utf-8", "replace")
        check.report.finds("list", file=file, count=len(other), name=named)


def check_evidence(check: Check, options: argparse.Namespace) -> None:
    """Check an evidence store, or the part of it that stands at `--at`, against a log."""
    root, at = options.path, options.at.replace("\\", "/").strip("/")
    prefix = at + "/" if at else ""
    folders: dict[str, dict[str, Seal]] = {}
    counts = {"whole": 0, "described": 0, "corrections": 0}
    os.listdir(root)  # an error now, not after an hour
    is_found = False  # anything where it was sealed

    def seen(entry: Entry, _line: bytes) -> None:
        nonlocal is_found
        counts["corrections"] += entry.act == "tag"
        if entry.act not in SEALS:
            return
        try:
            seal = seal_of(entry)
        except Wrong as why:
            check.report.finds("bad-seal", number=entry.number, why=why)
            return
        if not seal.path.startswith(prefix):
            return
        *inner, name = seal.path[len(prefix) :].split("/")
        siblings = folders.setdefault("/".join(inner), {})
        if name in siblings:
            check.report.finds("sealed-twice", file=seal.path, number=seal.number)
            return
        path = root
        for part in inner:
            path = os.path.join(path, part)
            if os.path.islink(path):
                is_found = True
                check.report.finds("link", file=seal.path)
                return
        path = os.path.join(path, name)
        counts["whole"] += check_recording(check, path, seal.path, seal)
        is_found = is_found or os.path.lexists(path) or os.path.lexists(path + ".json")
        beside = seal.path + ".json"
        counts["described"] += check_description(check, path + ".json", beside, seal)
        siblings[name] = seal._replace(recording={})

    store = None if at else root
    vouched = check_log(check, options.log, options.checkpoint, seen, store).size
    if not is_found:
        refuse_wrong_place(check, options)
    total = late = 0
    for inner, seals in sorted(folders.items()):
        total += len(seals)
        late += sum(seal.number >= vouched for seal in seals.values())
        if prefix or inner:
            shown = f"{prefix}{inner}/" if inner else prefix
            check_lists(check, os.path.join(root, *inner.split("/")), shown, seals)
    if late:
        check.report.leaves_open("late-seals", count=late)
    find_extras(check, root, prefix, folders)
    check.report.holds("store", total=total, **counts)
    if not total:
        check.report.finds("nothing-sealed", folder=at or root)


def refuse_wrong_place(check: Check, options: argparse.Namespace) -> None:
    """Raise Wrong where the folder has what was sealed, at another place than `--at` says."""
    files: set[str] = set()
    for folder, _, names in os.walk(options.path):
        below = os.path.relpath(folder, options.path).replace(os.sep, "/")
        files.update(name if below == "." else f"{below}/{name}" for name in names)
    places: dict[str, int] = {}
    for _, _, line in log_lines(check, options.log):
        with contextlib.suppress(Wrong):
            entry = entry_of(line)
            parts = seal_of(entry).path.split("/") if entry.act in SEALS else []
            for above in range(len(parts)):
                if "/".join(parts[above:]) in files:
                    place = "/".join(parts[:above])
                    places[place] = places.get(place, 0) + 1
                    break
    if places:
        place = max(sorted(places), key=lambda one: places[one])
        raise Wrong("needs-at", place=place) if place else Wrong("needs-no-at")


def find_extras(check: Check, root: str, prefix: str, folders: dict[str, dict[str, Seal]]) -> None:
    """Name every file in a store that nobody sealed there."""

    def unreadable(error: OSError) -> None:
        check.report.cannot_read("unreadable", file=error.filename, why=error)

    for folder, inner, files in os.walk(root, onerror=unreadable):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        below = "" if below == "." else below
        if not below and not prefix:
            inner[:] = [name for name in inner if name not in (".incoming", ".checkpoints")]
        seals = folders.get(below, {})
        links = [name for name in inner if os.path.islink(os.path.join(folder, name))]
        for name in [*files, *links]:
            is_list = bool(seals) and name in ("B3SUMS", "SHA256SUMS")
            sealed = name[:-5] if name.endswith(".json") and name not in seals else name
            if sealed not in seals and not is_list:
                place = f"{prefix}{below}/{name}" if below else prefix + name
                check.report.finds("extra", file=place)


# --- One proof ---------------------------------------------------------------------------------

CORRECTED = {  # may be, later
    "recording": {"device", "officer", "case", "tags", "flags", "state", "stores"},
    "document": {"title", "kind", "number", "stage", "item"},
}


def check_proof(
    check: Check, path: str, for_log: list[tuple[str, Note]] | None = None
) -> tuple[Seal, bytes] | None:
    """Check a proof; return the seal that it proves, and its line.

    The checkpoint of one that another key of the station's name signed goes to `for_log`.
    """
    report, shown = check.report, os.path.basename(path)
    try:
        proof = parsed(small_file(path))
        if not isinstance(proof, dict) or proof.get("format") != "recorder-sync-proof-1":
            raise Wrong("no-proof")
        note = note_of(proof.get("checkpoint"))
        check.trust_inside(proof.get("verifier"))
        rotations = proven_rotations(proof, note)
        entry, line = proven_entry(proof, note)
        other = check.signed_by_other(note, rotations, proof.get("verifier"))
        if note.origin != f"recorder-sync/{entry.station}":
            raise Wrong("other-log", origin=note.origin)
        seal = seal_of(entry)
    except Wrong as why:
        report.finds("bad-proof", file=shown, why=why)
        return None
    if other is not None:
        if for_log is None:
            report.finds("earlier-key", file=shown, key=other.text)
        else:
            for_log.append((shown, note))
        return None
    report.holds("proof", file=shown, number=entry.number, size=note.size, origin=note.origin)
    check.cosigned([(shown, note)])
    sealed = seal.recording
    common = {
        "id": entry.subject,
        "time": entry.time,
        "name": sealed.get("original_name"),
        "size": seal.size,
        "sha256": seal.digests["sha256"],
    }
    if SEALS[entry.act] == "document":
        said = {name: sealed.get(name) for name in ("case", "title", "handed_in_by")}
        report.holds("sealed-document", **common, **said)
    else:
        officer = sealed.get("officer")
        report.holds(
            "sealed",
            **common,
            device=sealed.get("device") or "-",
            officer=officer.get("cert_no") if isinstance(officer, dict) else "-",
            start=sealed.get("recorded_start"),
        )
    check_retold(check, proof, seal, SEALS[entry.act], shown)
    return seal, line


def check_retold(check: Check, proof: dict[str, Any], seal: Seal, part: str, shown: str) -> None:
    """Check what a proof repeats for people against what was sealed."""
    report = check.report
    told = proof.get("description")
    if isinstance(told, str):
        data = told.encode("utf-8", "replace")
        if hashlib.sha256(data).hexdigest() != seal.description["sha256"]:
            report.finds("proof-tells-other", file=shown, names="description")
    told = proof.get("digests")
    if isinstance(told, dict) and any(
        told.get(name) != seal.digests[name] for name in seal.digests
    ):
        report.finds("proof-tells-other", file=shown, names="digests")
    told = proof.get(part)
    if isinstance(told, dict):
        names = {*told, *seal.recording}
        differing = {n for n in names if _same(told, n) != _same(seal.recording, n)}
        if differing - CORRECTED[part]:
            names_shown = ", ".join(sorted(differing - CORRECTED[part]))
            report.finds("proof-tells-other", file=shown, names=names_shown)
        elif differing:
            report.leaves_open("proof-tells-later", part=part, names=", ".join(sorted(differing)))


def _same(told: dict[str, Any], name: str) -> bytes | None:
    return canonical(told[name]) if name in told else None


def proven_entry(part: object, note: Note) -> tuple[Entry, bytes]:
    """Return the entry that stands under the note's root at its number. Raises Wrong."""
    if not isinstance(part, dict) or not isinstance(part.get("entry"), str):
        raise Wrong("no-proof")
    try:
        line = part["entry"].encode()
    except ValueError:
        raise Wrong("no-json") from None
    entry, number = entry_of(line), part.get("number")
    if not is_number(number) or number != entry.number:
        raise Wrong("proof-number", number=entry.number)
    path = hashes_of(part.get("path"))
    if root_by_path(leaf_of(line), entry.number, note.size, path) != note.root:
        raise Wrong("not-in-log", number=entry.number)
    return entry, line


def proven_rotations(document: dict[str, Any], note: Note) -> list[Rotation]:
    """Return the changes of the key that a proof brings along. Raises Wrong."""
    rotations: list[Rotation] = []
    told = document.get("rotations") or []
    for one in told if isinstance(told, list) else [None]:
        rotations.append(rotation_of(proven_entry(one, note)[0], rotations))
    return rotations


KINDS = {
    "proof": Wrong("kind-proof"),
    "consistency": Wrong("kind-consistency"),
    "compare": Wrong("kind-note"),
    "key": Wrong("kind-key"),
    "entries": Wrong("kind-entries"),
    "description": Wrong("kind-description"),
    "folder": Wrong("kind-folder"),
}
FORMATS = {"recorder-sync-proof-1": "proof", "recorder-sync-consistency-1": "consistency"}


def kind_of(path: str) -> str | None:
    """Return which of our files this is, by the name in KINDS. Raises OSError."""
    if os.path.isdir(path):
        return "folder"
    try:
        data = small_file(path, follow=True)
    except Wrong:
        return None
    readings: tuple[tuple[str, Callable[[], object]], ...] = (
        ("compare", lambda: note_of(data)),
        ("key", lambda: key_of(data.decode("utf-8", "replace").strip())),
        ("entries", lambda: entry_of(data.partition(b"\n")[0])),
    )
    for kind, read in readings:
        with contextlib.suppress(Wrong):
            read()
            return kind
    with contextlib.suppress(Wrong):
        value = parsed(data)
        if isinstance(value, dict):
            is_description = {"id", "path", "sha256", "blake3"} <= set(value)
            return "description" if is_description else FORMATS.get(str(value.get("format")))
    return None


def refuse_other_kind(path: str, command: str) -> None:
    """Raise Wrong for a file of ours that another command takes. What is none is a finding."""
    kind = kind_of(path)
    if kind is not None and kind != command:
        raise Wrong("other-kind", file=path, kind=KINDS[kind])


def check_proof_file(check: Check, options: argparse.Namespace) -> None:
    refuse_other_kind(options.path, "proof")
    proven = check_proof(check, os.path.realpath(options.path))
    if not options.file:
        check.report.leaves_open("no-file")
        return
    path = os.path.realpath(options.file)
    os.stat(path)
    if proven:
        if check_recording(check, path, options.file, proven[0]):
            check.report.holds("file", file=options.file)
        if not os.path.exists(path + ".json"):
            check.report.leaves_open("no-description", file=options.file)
        elif check_description(check, path + ".json", options.file + ".json", proven[0]):
            check.report.holds("description-holds", file=options.file + ".json")


# --- A copy that was handed over ---------------------------------------------------------------


def check_export(check: Check, options: argparse.Namespace) -> None:
    """Check what `recordings export` made, by the proofs beside it or by a log."""
    folder, report = options.path, check.report
    names = set(os.listdir(folder))
    if not any(name.endswith(".custody.jsonl") for name in names):
        raise Wrong("no-export")
    proven: set[str] = set()
    whole: list[str] = []
    for_log: list[tuple[str, Note]] = []
    seals: dict[str, Seal] = {}
    lines: dict[int, tuple[str, bytes]] = {}  # all that is said to stand in the log
    subjects: dict[str, tuple[str, int]] = {}
    known = {"B3SUMS", "SHA256SUMS", "verify_evidence.py"}
    for file in sorted(name for name in names if name.endswith(".custody.jsonl")):
        name = file[: -len(".custody.jsonl")]
        known |= {file, name, f"{name}.json", f"{name}.proof.json"}
        try:
            seal = seal_in_custody(os.path.join(folder, file), file, lines, subjects)
            if seal.path.rpartition("/")[2] != name:
                raise Wrong("other-name", name=seal.path)
        except PermissionError:
            raise
        except (Wrong, OSError) as why:
            report.finds("bad-custody", file=file, why=why)
            continue
        seals[name] = seal
        path = os.path.join(folder, name)
        is_whole = check_recording(check, path, name, seal)
        if is_whole & check_description(check, path + ".json", name + ".json", seal):
            whole.append(name)
        if is_proven_beside(check, options, name, lines[seal.number][1], for_log):
            proven.add(name)
    if options.log:
        proven |= proven_by_log(check, options, seals, lines, subjects, for_log)
    elif seals:
        report.leaves_open("custody-without-log")
    tell_whose_word(check, seals, whole, proven)
    check_lists(check, folder, "", seals)
    known |= check_sm3_list(check, folder, seals)
    for name in sorted(names - known):
        report.finds("extra", file=name)
    if not seals:
        report.finds("nothing-sealed", folder=folder)
    report.leaves_open("completeness")
    if "verify_evidence.py" in names:
        report.leaves_open("own-copy")


def is_proven_beside(
    check: Check,
    options: argparse.Namespace,
    name: str,
    line: bytes,
    for_log: list[tuple[str, Note]],
) -> bool:
    """Tell whether the proof beside a copied recording proves its seal, the given line."""
    beside = os.path.join(options.path, f"{name}.proof.json")
    if not os.path.lexists(beside):
        if not options.log:
            check.report.leaves_open("no-proof-beside", file=name)
        return False
    found = check_proof(check, beside, for_log if options.log else None)
    if found and found[1] != line:
        check.report.finds("bad-custody", file=f"{name}.custody.jsonl", why=Wrong("other-seal"))
        return False
    return found is not None


def tell_whose_word(
    check: Check, seals: dict[str, Seal], whole: Sequence[str], proven: set[str]
) -> None:
    """Say of each whole recording whether anything signed vouches for it, or the copy alone."""
    for name in whole:
        if name in proven:
            check.report.holds("file", file=name)
        else:
            check.report.holds("fits-digests", file=name)
    check.report.unproven = len(set(seals) - proven)


def check_sm3_list(check: Check, folder: str, seals: dict[str, Seal]) -> set[str]:
    """Check the list that is there where recordings were sealed with SM3; return its name."""
    wanted = {
        f"{seal.digests['sm3']}  {name}".encode()
        for name, seal in seals.items()
        if "sm3" in seal.digests
    }
    if not wanted:
        return set()
    check_list(check, os.path.join(folder, SM3_LIST), SM3_LIST, wanted)
    return {SM3_LIST}


def seal_in_custody(
    path: str, file: str, lines: dict[int, tuple[str, bytes]], subjects: dict[str, tuple[str, int]]
) -> Seal:
    """Read a recording's custody entries beside a copy; return its seal. Raises Wrong."""
    seal, last = None, -1
    *whole, rest = small_file(path).split(b"\n")
    for line in whole:
        entry = entry_of(line)
        if (
            entry.number <= last
            or entry.number in lines
            or (seal and entry.subject != seal.recording["id"])
        ):
            raise Wrong("out-of-order", number=entry.number)
        if seal is None:
            seal = seal_of(entry)
        lines[entry.number], last = (file, line), entry.number
    if seal is None or rest:
        raise Wrong("no-seal")
    subjects[str(seal.recording["id"])] = file, last
    return seal


def proven_by_log(
    check: Check,
    options: argparse.Namespace,
    seals: dict[str, Seal],
    lines: dict[int, tuple[str, bytes]],
    subjects: dict[str, tuple[str, int]],
    of_proofs: Sequence[tuple[str, Note]],
) -> set[str]:
    """Hold the custody entries beside a copy against the log: the same, and all of them.

    Return the names of the recordings whose seal stands there under a signed checkpoint.
    """
    found: set[int] = set()

    def seen(entry: Entry, line: bytes) -> None:
        file, last = subjects.get(entry.subject, ("", -1))
        there = lines.get(entry.number)
        if there is not None and there[1] == line:
            found.add(entry.number)
        elif entry.number <= last:
            check.report.finds("custody-differs", file=file, number=entry.number)

    agreed = check_log(check, options.log, options.checkpoint, seen, None, of_proofs)
    if len(found) == len(lines):
        check.report.holds("custody-in-log", count=len(found))
    else:
        check.report.finds("custody-not-in-log", count=len(lines) - len(found))
    in_log = {name for name, seal in seals.items() if seal.number in found}
    proven = {name for name in in_log if seals[name].number < agreed.size}
    if in_log - proven:
        check.report.leaves_open("late-seals", count=len(in_log - proven))
    for file, _ in of_proofs:
        if file in agreed.files and file[: -len(".proof.json")] in proven:
            check.report.holds("earlier-key-in-log", file=file)
    return proven


# --- Two checkpoints ---------------------------------------------------------------------------


class Consistency(NamedTuple):
    """Two checkpoints, and the changes of the key up to the newer."""

    old: Note
    new: Note
    rotations: list[Rotation]


def consistency_of(check: Check, path: str) -> Consistency:
    """Check a consistency file. Raises Wrong."""
    value = parsed(small_file(path, follow=True))
    if not isinstance(value, dict) or value.get("format") != "recorder-sync-consistency-1":
        raise Wrong("no-consistency")
    old, new = note_of(value.get("old")), note_of(value.get("new"))
    check.trust_inside(value.get("verifier"))
    rotations = proven_rotations(value, new)
    check.signed(new, rotations)
    check.signed(old, rotations, also_older=True)  # the new one vouches for it
    proof = hashes_of(value.get("proof"))
    if old.origin != new.origin:
        raise Wrong("other-log", origin=new.origin)
    if roots_by_proof(old.size, new.size, proof, old.root) != (old.root, new.root):
        raise Wrong("not-grown")
    return Consistency(old, new, rotations)


def check_consistency(check: Check, options: argparse.Namespace) -> None:
    refuse_other_kind(options.path, "consistency")
    try:
        old, new, _ = consistency_of(check, options.path)
    except Wrong as why:
        check.report.finds("bad-consistency", file=options.path, why=why)
        return
    check.report.holds("grown", old=old.size, new=new.size, origin=old.origin)
    check.cosigned([("old", old), ("new", new)])


def check_compare(check: Check, options: argparse.Namespace) -> None:
    """Tell whether two people's checkpoints are of one log, or the station signed two."""
    report, both, passed = check.report, None, None
    notes: list[tuple[str, Note]] = []
    refuse_other_kind(options.path, "compare")
    refuse_other_kind(options.other, "compare")
    if options.consistency:
        refuse_other_kind(options.consistency, "consistency")
    file = options.path
    try:
        notes.append((file, note_in(file, follow=True)))
        file = options.other
        notes.append((file, note_in(file, follow=True)))
        if options.consistency:
            file = options.consistency
            both = consistency_of(check, file)
    except Wrong as why:
        report.finds("bad-note", file=file, why=why)
        return
    if options.log:
        inside = key_inside(check, options.log)
        passed = read_log(check, options.log, {note.size for _, note in notes})
        if inside is not None:
            check_own_key(check, inside, passed)
    if not check.given:
        raise Wrong("needs-key")
    rotations = passed.rotations if passed else both.rotations if both else []
    newest = max(note.size for _, note in notes)
    for file, note in notes:
        try:
            check.signed(note, rotations, also_older=note.size < newest)
        except Wrong as why:
            report.finds("bad-note", file=file, why=why)
    check.cosigned(notes)
    if not report.count:
        tell_one_log_from_two(check, options, notes, passed, both)


def tell_one_log_from_two(
    check: Check,
    options: argparse.Namespace,
    notes: list[tuple[str, Note]],
    passed: Passed | None,
    both: Consistency | None,
) -> None:
    report = check.report
    one, other = sorted((note for _, note in notes), key=lambda note: note.size)
    sizes = {"one": one.size, "other": other.size}
    if one.origin != other.origin:
        report.finds("two-stations", one=one.origin, other=other.origin)
    elif one.size == other.size and one.root != other.root:
        report.finds("fork", origin=one.origin, **sizes)
    elif passed is not None:
        for file, note in notes:
            if passed.roots.get(note.size) != note.root:
                report.finds("fork-from-log", file=file, size=note.size, count=passed.size)
    elif both and (one.says, other.says) != (both.old.says, both.new.says):
        report.finds("other-consistency", file=options.consistency)
    elif one.size != other.size and not both:
        raise Wrong("needs-link")
    if not report.count:
        report.holds("one-log", origin=one.origin, **sizes)


# --- The command line --------------------------------------------------------------------------


def shown(value: object, language: int) -> str:
    """Return a value so that it can neither fool a terminal nor break a line."""
    if isinstance(value, Wrong):
        values = {name: shown(one, language) for name, one in value.values.items()}
        return TEXTS[value.code][language].format(**values)
    text = (value.strerror or repr(value)) if isinstance(value, OSError) else str(value)
    safe = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:2000])
    return "".join(safe)


def as_json(found: Sequence[Wrong], language: int) -> list[dict[str, Any]]:
    return [
        {
            "code": one.code,
            "text": shown(one, language),
            "values": {
                name: value if isinstance(value, int) else shown(value, language)
                for name, value in one.values.items()
            },
        }
        for one in found
    ]


def verdict_of(report: Report) -> str:
    """Return the name of the text with the result."""
    if report.count:
        return "fails"
    if report.denied:
        return "no-rights"
    if report.unproven:
        return "unproven"
    return "holds" if report.vouched else "fits-together"


def print_report(check: Check, options: argparse.Namespace, language: int) -> int:
    """Say everything; return the exit code."""
    report = check.report
    verdict = verdict_of(report)
    code = {"fails": 1, "no-rights": 2}.get(verdict, 0)
    if options.json:
        answer = {
            "format": "recorder-sync-check-1",
            "command": options.command,
            "holds": {0: True, 1: False}.get(code),
            "vouched": report.vouched and not report.unproven,
            "held": as_json(report.held, language),
            "not_checked": as_json(report.open, language),
            "findings": as_json(report.findings, language),
            "findings_count": report.count,
        }
        print(json.dumps(answer, indent=2))
        return code
    for heading, found in (
        ("held", report.held),
        ("open", report.open),
        ("findings", report.findings),
    ):
        if found:
            print(TEXTS[heading][language])
        for one in found:
            print("  - " + shown(one, language))
    if report.count > len(report.findings):
        print(shown(Wrong("more", count=report.count - len(report.findings)), language))
    counts = {"fails": report.count, "no-rights": report.denied, "unproven": report.unproven}
    print(shown(Wrong(verdict, count=counts.get(verdict, 0)), language))
    return code


COMMANDS = {
    "log": check_evidence_log,
    "proof": check_proof_file,
    "evidence": check_evidence,
    "export": check_export,
    "consistency": check_consistency,
    "compare": check_compare,
}


def arguments(language: int) -> argparse.ArgumentParser:
    def text(code: str) -> str:
        return TEXTS[code][language]

    parser = argparse.ArgumentParser(description=text("about"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = commands.add_parser(name, help=text("do-" + name), description=text("do-" + name))
        command.add_argument("path", metavar="NOTE" if name == "compare" else "PATH")
        if name == "compare":
            command.add_argument("other", metavar="NOTE")
            command.add_argument("--consistency", metavar="FILE", help=text("o-consistency"))
        if name in ("evidence", "export", "compare"):
            is_needed = name == "evidence"
            command.add_argument("--log", metavar="FOLDER", required=is_needed, help=text("o-log"))
        if name in ("log", "evidence", "export"):
            command.add_argument("--checkpoint", action="append", help=text("o-checkpoint"))
        if name == "proof":
            command.add_argument("--file", help=text("o-file"))
        if name == "evidence":
            command.add_argument("--at", default="", metavar="PLACE", help=text("o-at"))
        command.add_argument("--verifier", action="append", help=text("o-verifier"))
        command.add_argument("--witness", action="append", help=text("o-witness"))
        command.add_argument("--json", action="store_true", help=text("o-json"))
        command.add_argument("--language", choices=("en", "zh"), help=text("o-language"))
    return parser


def language_of(words: Sequence[str]) -> int:
    """Return 0 for English, 1 for Chinese: as asked for, or as the system speaks."""
    for at, word in enumerate(words):
        if word.startswith("--language"):
            asked = word.partition("=")[2] or "".join(words[at + 1 : at + 2])
            return int(asked.startswith("zh"))
    speaks = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    if not speaks:
        with contextlib.suppress(locale.Error):
            speaks = locale.setlocale(locale.LC_CTYPE, "")
    return int(speaks.lower().startswith(("zh", "chinese")))


def main(words: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    here = os.path.dirname(os.path.abspath(__file__))
    if not words and os.path.isfile(os.path.join(here, "SHA256SUMS")):
        words = ["export", here]
    language = language_of(words)
    options = arguments(language).parse_args(words)
    try:
        check = Check(options)
        try:
            COMMANDS[options.command](check, options)
        finally:
            check.progress.end()
        return print_report(check, options, language)
    except (Wrong, OSError) as error:
        about = error.values.get("file") if isinstance(error, Wrong) else error.filename
        name = about or options.path
        said = shown(Wrong("cannot", file=name, why=error), language)
        if options.json:
            print(json.dumps({"format": "recorder-sync-check-1", "holds": None, "error": said}))
        print(said, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


# --- What it says, in English and Chinese ------------------------------------------------------

TABLE = """
about: Checks evidence of recorder-sync: custody logs, proofs, files. What was checked, what was not, and every finding is named.
    核验 recorder-sync 的证据：保管链、证明和文件。逐项说明已核查、未核查的内容和每个异常。
do-log: check a custody log folder
    核验保管链目录
do-proof: check one proof file, with the recording or without
    核验一份证明文件，可同时核验音像记录
do-evidence: check an evidence store, or a part of it, against a log
    对照保管链核验证据库或其一部分
do-export: check a copy that was handed over
    核验移交的副本目录
do-consistency: check a file that proves that a log only grew
    核验“保管链只增不改”的证明文件
do-compare: tell whether two people's checkpoints are of one log
    判断两人所持检查点是否属于同一保管链
o-log: the custody log's folder
    保管链目录
o-file: the recording that the proof is about
    证明所指的音像记录文件
o-at: where in the store the folder stands, as 0031/2026/11/23
    该目录在证据库中的位置，如 0031/2026/11/23
o-consistency: a consistency file that links the two
    连接两个检查点的一致性证明文件
o-checkpoint: a checkpoint that somebody else kept (may be repeated)
    他人留存的检查点（可多次给出）
o-verifier: the station's verifier key, or a file with it, as you were given it (may be repeated)
    从其他途径取得的采集站验证公钥或其文件（可多次给出）
o-witness: a witness's verifier key, or a file with it (may be repeated)
    见证方的验证公钥或其文件（可多次给出）
o-json: print JSON
    输出 JSON
o-language: en or zh
    语言：en 或 zh
held: HOLDS
    成立
open: COULD NOT BE CHECKED, or rests on somebody's word
    未能核查，或仅凭一方陈述
findings: FINDINGS
    异常
more: ... and {count} more findings.
    ……另有 {count} 个异常未列出。
holds: RESULT: all that was checked holds.
    结论：已核查的内容全部成立。
fits-together: RESULT: everything fits together, but no key that you were given in another way vouches for it. Somebody who made all of it anew would get the same answer.
    结论：内容彼此吻合，但没有从其他途径取得的公钥为其作证。若有人将全部内容重新伪造，也会得到同样的结果。
unproven: RESULT: everything fits together, but neither a proof nor a log under a signed checkpoint vouches for recordings: {count}. Somebody who made all of it anew would get the same answer. Ask for proofs, or check with the log (--log).
    结论：内容彼此吻合，但有 {count} 份音像记录既没有证明、也没有已签名检查点下的保管链为其作证。若有人将全部内容重新伪造，也会得到同样的结果。请索取证明，或用 --log 与保管链一并核验。
no-rights: RESULT: it could not be told. This user has no right to read files or folders: {count}. Run it again as one who has.
    结论：无法判断。当前用户无权读取的文件或目录有 {count} 个。请以有读取权限的用户重新运行。
fails: RESULT: IT DOES NOT HOLD. Findings: {count}.
    结论：不成立。异常 {count} 个。
cannot: Nothing could be checked: {file}: {why}
    无法核查：{file}：{why}
no-regular-file: it is no regular file (a link, a pipe or a device)
    不是普通文件（链接、管道或设备）
too-large: it is too large
    文件过大
json-number: it has a number that cannot be relied on
    含有不可靠的数字
json-twice: it has a name twice in one object
    同一对象中有重复的名称
no-json: it is no JSON that can be relied on
    不是可靠的 JSON
no-base64: it has a value that is no base64 of the right length
    含有不是规定长度 base64 的值
not-canonical: it is not in canonical form (RFC 8785)
    不是规范形式（RFC 8785）
no-entry: it is no entry
    不是保管链条目
no-seal: it is no sealing of a recording, or is ill-formed
    不是音像记录的封存条目，或格式不正确
no-key: it is no verifier key of this kind, or was changed
    不是此类验证公钥，或已被改动
no-key-given: these are no verifier keys of the kind asked for, or were changed: {keys}
    不是所要求种类的验证公钥，或已被改动：{keys}
no-note: it is no signed checkpoint
    不是已签名的检查点
no-log: there are no entries of a custody log in it
    其中没有保管链条目
no-proof: it is no proof file of recorder-sync
    不是 recorder-sync 的证明文件
no-consistency: it is no consistency file of recorder-sync
    不是 recorder-sync 的一致性证明文件
bad-path: its path through the tree has the wrong length
    树路径的长度不正确
false-signature: the signature of {name} is false
    {name} 的签名是假的
not-signed: no key that is trusted has signed it
    没有受信任的公钥为其签名
retired-key: it is signed only with a key that was not in force at its size
    仅由当时无效的密钥签名
other-size: its name is not the size that it says, {size}
    文件名与其所述条数 {size} 不符
other-log: it is of another log, {origin}
    属于另一条保管链 {origin}
other-name: it is of another recording, {name}
    属于另一份音像记录 {name}
other-seal: its seal is not the one that is proven
    其封存条目与被证明的不同
out-of-order: entry {number} is out of order, or of another recording
    第 {number} 条次序错误，或属于另一份音像记录
proof-number: its number is not that of the entry, {number}
    其编号与条目编号 {number} 不符
not-in-log: entry {number} is not in the log that the checkpoint vouches for
    第 {number} 条不在检查点所证明的保管链中
not-grown: the newer log does not begin with the older one, or the proof was changed
    较新的保管链不是由较旧的增长而来，或证明已被改动
says-other: it is not the description that was sealed
    与封存的描述不同
needs-key: no verifier key is there: give --verifier
    没有验证公钥：请用 --verifier 给出
needs-link: checkpoints of different sizes are compared by --log or --consistency
    条数不同的检查点须用 --log 或 --consistency 比对
needs-at: nothing that was sealed lies there at the place asked about, but what lies there was sealed at another: give --at {place}
    该处没有在所述位置封存的内容；其中的文件封存于另一位置：请给出 --at {place}
needs-no-at: it is the whole evidence store: leave out --at
    这是整个证据库：请去掉 --at
no-export: this is no copy made by recordings export (no *.custody.jsonl is in it)
    不是由 recordings export 制作的副本（其中没有 *.custody.jsonl）
other-kind: it is {kind}
    它是{kind}
kind-proof: a proof: check it with the command proof
    证明文件：请用 proof 命令核验
kind-consistency: a consistency file: check it with the command consistency, or with compare --consistency
    一致性证明文件：请用 consistency 命令或 compare --consistency 核验
kind-note: a checkpoint: check it with the command compare, or with log --checkpoint
    检查点：请用 compare 命令或 log --checkpoint 核验
kind-key: a verifier key: give it with --verifier
    验证公钥：请用 --verifier 给出
kind-entries: entries of a custody log: check their folder with the command log, or with export where it is a copy
    保管链条目：请用 log 命令核验其目录；若为副本，请用 export 命令
kind-description: the description of a recording: check its folder with the command export or evidence
    音像记录的描述：请用 export 或 evidence 命令核验其目录
kind-folder: a folder: the commands log, evidence and export take one
    目录：请用 log、evidence 或 export 命令核验
key-from-inside: No verifier key was given, so the one found beside the evidence was used: {key}. That shows that everything fits together, not whose it is: compare the key with one that you were given in another way, and run it again with --verifier.
    未给出验证公钥，因此使用了证据旁边的公钥：{key}。这只说明内容彼此吻合，不能说明出自何人：请与从其他途径取得的公钥比对，并用 --verifier 重新核验。
entries: Log of station {station}: {count} entries were read; what is wrong with any of them stands under findings.
    采集站 {station} 的保管链：已读取 {count} 条；其中有问题的列在异常中。
rotations: Changes of the station's key, each signed by the old and the new one: {count}.
    采集站密钥更换 {count} 次，每次均由新旧密钥共同签名。
checkpoints: Signed checkpoints that the log agrees with: {count}. The newest vouches for the first {size} entries.
    与保管链相符的已签名检查点 {count} 个。最新的证明前 {size} 条。
witness: Witness {name} cosigned the first {size} entries; newest on {when} UTC.
    见证方 {name} 联署了前 {size} 条；最近一次为 {when}（UTC）。
store: Recordings sealed here: {total}; whole: {whole}; with the description as sealed: {described}. Later corrections of tags in the log: {corrections}.
    此处封存的音像记录 {total} 份；完好 {whole} 份；描述与封存时相同 {described} 份。保管链中其后的标签更正 {corrections} 条。
proof: {file}: entry {number} stands in the log of {origin} under a signed checkpoint of {size} entries.
    {file}：第 {number} 条在 {origin} 的保管链中，有 {size} 条的已签名检查点为证。
sealed: Sealed: recording {id}, sealed {time}, device {device}, officer {officer}, recorded {start}, original name {name}, {size} bytes, SHA-256 {sha256}.
    封存内容：音像记录 {id}，封存时间 {time}，设备 {device}，执法人员 {officer}，记录时间 {start}，原文件名 {name}，{size} 字节，SHA-256 {sha256}。
sealed-document: Sealed: document {id} of case {case}, {title}, sealed {time}, handed in by {handed_in_by}, original name {name}, {size} bytes, SHA-256 {sha256}.
    封存内容：案件 {case} 的文书 {id}（{title}），封存时间 {time}，提交人 {handed_in_by}，原文件名 {name}，{size} 字节，SHA-256 {sha256}。
file: {file}: it is the recording that was sealed, byte for byte.
    {file}：与封存的音像记录逐字节相同。
fits-digests: {file}: it fits the digests beside it, for which nothing signed vouches.
    {file}：与旁边的摘要相符，但没有任何签名为这些摘要作证。
earlier-key-in-log: {file}: it was signed by an earlier key of this station, as the log shows. The log vouches for its recording.
    {file}：由该采集站的旧密钥签名，保管链可证实。其音像记录由保管链作证。
description-holds: {file}: it is the description that was sealed.
    {file}：与封存的描述相同。
custody-in-log: Custody entries beside the copies that stand in the log exactly so, with none left out: {count}.
    副本旁的保管链条目与保管链完全一致且无遗漏：{count} 条。
grown: The log of {origin} with {new} entries begins with the one of {old} entries: nothing was changed or removed between.
    {origin} 的 {new} 条保管链以 {old} 条的保管链开头：其间没有改动或删除。
one-log: Both checkpoints ({one} and {other} entries) are of one and the same log of {origin}.
    两个检查点（{one} 条与 {other} 条）属于 {origin} 的同一条保管链。
clock: Times are what the station's clock said; it went back {times} times in the log. Only witnesses and time stamps of others show that something existed by a certain time.
    时间以采集站时钟为准；其在保管链中倒退 {times} 次。只有他方的见证和时间戳能证明某内容在某时已存在。
after-last: Entries after the last checkpoint: {count}, vouched for by the chain only. They could be changed or cut off unseen.
    最后一个检查点之后的条目 {count} 条，仅由链条自身证明，可能被改动或截去而不被发现。
late-seals: Recordings sealed after the last checkpoint: {count}; their seals are vouched for by the chain only.
    最后一个检查点之后封存的音像记录 {count} 份，其封存条目仅由链条自身证明。
torn: {file} ends in {bytes} bytes that are no whole line: being written, or cut by a power failure. They are no entry.
    {file} 末尾有 {bytes} 字节不成整行：正在写入或因断电中断，不算条目。
set-aside: Lines that a power failure tore were set aside, and are no part of the log: {count} ({files}).
    因断电残缺而另存的行 {count} 个，不属于保管链（{files}）。
time-stamps: Time stamps in {folder}: {count}. Check each with: openssl ts -verify -data checkpoints/SIZE -in {folder}/SIZE.tsr -CAfile CERTIFICATES-OF-THE-AUTHORITY
    {folder} 中有时间戳 {count} 个。逐个核验：openssl ts -verify -data checkpoints/SIZE -in {folder}/SIZE.tsr -CAfile 时间戳机构证书
other-witness: There are signatures of others whose keys were not given (--witness): {names}.
    另有未给出公钥（--witness）的签名：{names}。
no-algorithm: {name} digests were not checked: this Python has no such algorithm. SHA-256 was checked.
    未核查 {name} 摘要：此 Python 没有该算法。已核查 SHA-256。
between-notes: {file}: what is not a whole checkpoint in it was passed over.
    {file}：其中不是完整检查点的内容已略过。
no-file: The recording itself: no file was given (--file).
    音像记录本身：未给出文件（--file）。
no-description: {file}: its description is not beside it.
    {file}：旁边没有描述文件。
no-proof-beside: {file}: neither a proof nor a log is there. Only the digests beside it were checked; whoever made this folder could have made them too.
    {file}：没有证明，也没有保管链。仅核查了旁边的摘要；制作此目录的人也能制作这些摘要。
custody-without-log: The custody entries beside the copies (*.custody.jsonl), other than a seal that is proven: only the log itself (--log) shows that they are real, and all.
    副本旁的保管链条目（*.custody.jsonl），已证明的封存条目除外：须以保管链本身（--log）核验其真实和完整。
completeness: Whether the copy is complete: a recording that was taken out together with its lines in the lists leaves no trace in it. Compare it with what was asked for, and with the entries of act export in the log.
    副本是否齐全：若某份音像记录连同清单中的行一并被取走，副本本身不留痕迹。请与所要求的内容以及保管链中的 export 条目比对。
no-right: {file}: this user has no right to read it: {why}
    {file}：当前用户无权读取：{why}
own-copy: The copy of this program in the folder: use one that you got in another way.
    目录中的本程序副本：请使用从其他途径取得的程序。
proof-tells-later: The part `{part}` of the proof is for people and proven by nothing. It differs from what was sealed in {names}: a later correction, perhaps. Rely on what was sealed.
    证明中的 {part} 部分仅供阅读，不受证明。其 {names} 与封存内容不同，可能是后来的更正。请以封存内容为准。
segment-name: {file}: its name should be that of entry {number}, which it begins with.
    {file}：文件名应为其首条编号 {number}。
bad-line: {file} line {line}: {why}
    {file} 第 {line} 行：{why}
cut-line: {file} line {line} is cut, or too long for an entry.
    {file} 第 {line} 行被截断，或超过条目长度。
wrong-number: {file} line {line}: entry {number} should stand here. Entries were removed, inserted or moved.
    {file} 第 {line} 行：此处应为第 {number} 条。有条目被删除、插入或移动。
wrong-link: {file} line {line}: entry {number} does not follow from the line before it. One of the two was changed.
    {file} 第 {line} 行：第 {number} 条与前一行不衔接。两者之一被改动。
other-station: {file} line {line}: it is of another station.
    {file} 第 {line} 行：属于另一采集站。
false-rotation: Entry {number}: a change of the key that is not signed by the old and the new one, or does not follow the change before.
    第 {number} 条：密钥更换未由新旧密钥共同签名，或与上次更换不衔接。
other-key: The key in the log's folder is none that is trusted: {key}
    保管链目录中的公钥不受信任：{key}
bad-note: The checkpoint {file} cannot be relied on: {why}.
    检查点 {file} 不可信：{why}。
entries-gone: The log has {count} entries, and the checkpoint {file} vouches for {size}: entries were removed from its end. Such checkpoints: {notes}.
    保管链有 {count} 条，而检查点 {file} 证明曾有 {size} 条：末尾的条目被删除了。此类检查点 {notes} 个。
other-entries: The first {size} entries are not those that the checkpoint {file} vouches for; the first {good} are sound. Such checkpoints: {notes}.
    前 {size} 条与检查点 {file} 所证明的不一致；前 {good} 条无误。此类检查点 {notes} 个。
no-checkpoint: No checkpoint vouches for this log.
    没有检查点为此保管链作证。
no-witness: The witness {name} has cosigned nothing here.
    见证方 {name} 在此没有联署。
missing: {file}: it is missing; sealed by entry {number}.
    {file}：文件缺失；由第 {number} 条封存。
unreadable: {file}: it cannot be read: {why}
    {file}：无法读取：{why}
changed: {file}: it is not what entry {number} sealed. {size} bytes, sealed {sealed_size}; SHA-256 {sha256}, sealed {sealed_sha256}. Digests that differ: {names}.
    {file}：与第 {number} 条封存的不同。现为 {size} 字节，封存时 {sealed_size} 字节；SHA-256 现为 {sha256}，封存时 {sealed_sha256}。不同的摘要：{names}。
description: {file}: it is not the description that entry {number} sealed: {why}
    {file}：与第 {number} 条封存的描述不同：{why}
list: {file}: the digest list is not what was sealed; lines that differ: {count}, the first of {name}.
    {file}：摘要清单与封存时不一致；不同的行 {count} 个，首个涉及 {name}。
bad-seal: Entry {number}: {why}
    第 {number} 条：{why}
sealed-twice: {file}: entry {number} seals a second recording under the same name.
    {file}：第 {number} 条以同名封存了另一份音像记录。
link: {file}: a folder above it is a link.
    {file}：其上级目录是链接。
extra: {file}: nothing of this name was sealed.
    {file}：没有封存过此名称的文件。
nothing-sealed: {folder}: nothing that was sealed belongs here.
    {folder}：此处没有应有的封存内容。
bad-proof: {file}: it proves nothing: {why}
    {file}：不能证明任何内容：{why}
earlier-key: {file}: signed by another key in this station's name, perhaps an earlier key of this station: {key}. Anybody could have made one of that name. Ask for a new proof, or check with that key, if you were given it in another way, or with the log (--log).
    {file}：由以该采集站名义的另一密钥签名，可能是该站的旧密钥：{key}。任何人都可以制作同名密钥。请索取新的证明，或用从其他途径取得的该公钥，或用保管链（--log）核验。
proof-tells-other: {file}: the part for people tells something else than what was sealed: {names}.
    {file}：供阅读的部分与封存内容不同：{names}。
bad-custody: {file}: {why}
    {file}：{why}
custody-differs: {file}: entry {number} of the log is missing or different there.
    {file}：缺少保管链第 {number} 条，或内容不同。
custody-not-in-log: Custody entries beside the copies that do not stand in the log: {count}.
    副本旁的条目中有 {count} 条不在保管链中。
bad-consistency: {file}: it proves nothing: {why}
    {file}：不能证明任何内容：{why}
two-stations: The checkpoints are of two stations, {one} and {other}; that is no fork.
    两个检查点属于两个采集站 {one} 和 {other}，不是分叉。
fork: A FORK: {origin} signed two different logs of {one} entries. One of them was shown to one person, the other to another.
    分叉：{origin} 为 {one} 条签署了两条不同的保管链，并分别向不同的人出示。
fork-from-log: A FORK: the checkpoint {file} of {size} entries is signed, and is not of this log of {count} entries.
    分叉：检查点 {file}（{size} 条）已签名，但不属于这条 {count} 条的保管链。
other-consistency: {file}: it links two other checkpoints than these. Either it is the wrong file, or this is a fork.
    {file}：它连接的不是这两个检查点。要么文件不对，要么存在分叉。
"""  # noqa: E501
LINES = TABLE.strip().split("\n")
TEXTS = {
    english.partition(": ")[0]: (english.partition(": ")[2], chinese.strip())
    for english, chinese in zip(LINES[::2], LINES[1::2])
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
