"""Has a time-stamping authority say when a checkpoint was there: RFC 3161.

What is stamped is the note as it stands in checkpoints/SIZE, with SHA-256. An answer
counts only when it is for this note and this request (its nonce), and signed by a
certificate for time stamps that leads to those in the configuration. Certificates need to
have been valid at the time of the stamp, as the RFC says, not for ever.

    openssl ts -verify -data checkpoints/SIZE -in witnessed/SIZE.tsr -CAfile tsa.pem
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from recorder_sync.custody.checkpoints import Signed
from recorder_sync.durable import read_regular
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T, Text
from recorder_sync.witnessing.posting import NoAnswer, post
from recorder_sync.witnessing.target import NotDelivered, Target
from recorder_sync.witnessing.witnessed import Witnessed

_OK = 200


def certificates_in(files: Sequence[Path]) -> list[x509.Certificate]:
    """Read the certificates of PEM files. Raises MissingPart."""
    found: list[x509.Certificate] = []
    for path in files:
        why: object
        try:
            found += x509.load_pem_x509_certificates(path.read_bytes())
            continue
        except OSError as error:
            why = os_reason(error)
        except ValueError as error:
            why = error
        raise MissingPart(
            T("The certificates {path} cannot be read: {why}.", path=path, why=why),
            T("Put the authority's certificates there, in PEM form, readable for the service."),
        )
    return list(dict.fromkeys(found))


def refuted(response: bytes, note: str, certificates: Sequence[x509.Certificate]) -> str | None:
    """Return why a kept time stamp does not vouch for a note; None: it does.

    Without certificates only that it is for this note is looked at, not who signed it.
    """
    try:
        if certificates:
            stamped_at(response, note, certificates)
            return None
        imprint = decode_timestamp_response(response).tst_info.message_imprint
    except ValueError as error:
        return str(error)
    if imprint.message != hashlib.sha256(note.encode()).digest():
        return "it is of something else"
    return None


def stamped_at(response: bytes, note: str, certificates: Sequence[x509.Certificate]) -> datetime:
    """Return the time that a kept time stamp vouches for. Raises ValueError."""
    return _checked(decode_timestamp_response(response), note, certificates, None)


class TimestampAuthority(Target):
    """The authority that the settings name."""

    name = "time stamp"

    def __init__(
        self, url: str, certificates: Sequence[Path], witnessed: Witnessed, notes: Path
    ) -> None:
        """`notes` is the folder of the log's checkpoints."""
        self._url = url
        self._files = certificates
        self._witnessed = witnessed
        self._notes = notes

    def has(self, size: int) -> bool:
        """Tell whether a stamp that holds is kept: a file of that name alone silences nothing."""
        certificates = self._certificates()
        for stamped, path in self._witnessed.timestamps():
            if stamped < size:
                return False
            note = self._notes / f"{stamped:020d}"
            try:
                response, text = read_regular(path), read_regular(note).decode("utf-8", "replace")
            except OSError:  # verification names it
                continue
            if refuted(response, text, certificates) is None:
                return True
        return False

    def deliver(self, signed: Signed) -> None:
        certificates = self._certificates()
        builder = TimestampRequestBuilder().data(signed.note.encode())
        request = builder.hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            answered = post(self._url, request.as_bytes(), "application/timestamp-query")
        except NoAnswer as error:
            raise _failed(error.why) from error
        if answered.status != _OK:
            raise _failed(T("it answered with status {status}", status=answered.status))
        try:
            response = decode_timestamp_response(answered.body)
            _checked(response, signed.note, certificates, request)
        except ValueError as error:
            raise _failed(T("its answer does not hold ({why})", why=error)) from error
        self._witnessed.add_timestamp(signed.checkpoint.size, answered.body)

    def _certificates(self) -> list[x509.Certificate]:
        try:
            return certificates_in(self._files)
        except MissingPart as error:
            raise NotDelivered(error.text, error.hint) from error


def _checked(
    response: TimeStampResponse,
    note: str,
    certificates: Sequence[x509.Certificate],
    request: TimeStampRequest | None,
) -> datetime:
    """Return the time of a stamp that holds. Raises ValueError."""
    nonce = None if request is None else request.nonce
    try:
        verifier = VerifierBuilder(roots=list(certificates), nonce=nonce).build()
        verifier.verify_message(response, note.encode())
    except VerificationError as error:
        raise ValueError(str(error)) from error
    return response.tst_info.gen_time


def _failed(why: Text) -> NotDelivered:
    return NotDelivered(
        T("The time-stamping authority has not stamped a checkpoint: {why}.", why=why),
        T("Check timestamp_url and timestamp_certificates in the configuration, and the network."),
    )
