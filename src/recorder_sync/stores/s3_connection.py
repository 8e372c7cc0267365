"""How an S3 store is reached: address, credentials, TLS; nothing of the environment counts.

botocore, on which boto3 stands, would take profiles, proxies, certificates and endpoints from
variables and files of whoever starts the process. All of that is set here instead. It tries
each request up to three times, except those that would leave something behind twice.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from recorder_sync.language import T
from recorder_sync.stores.s3_errors import S3Problem, problem_of
from recorder_sync.stores.store import Trouble

_CONNECT_S = 10
_making = threading.Lock()
"""A session makes one client at a time."""
_TRIES = 3
_ONCE = frozenset({"put_object", "create_multipart_upload"})
"""What makes something new: done again although it was done, it leaves something behind."""

_SIGNS = {"list_objects_v2": "Name", "list_multipart_uploads": "Bucket", "list_parts": "Bucket"}
"""Where a list repeats the bucket's name: any other page reads like an empty list."""


class Encryption(StrEnum):
    """How a store is asked to encrypt what it keeps (server-side encryption)."""

    S3 = "AES256"
    KMS = "aws:kms"


@dataclass(frozen=True, slots=True)
class S3Address:
    endpoint: str | None
    """`https://`, host, and port where it is not 443; None: that of AWS for the region."""
    bucket: str
    region: str = "us-east-1"
    prefix: str = ""
    """Before every key; empty, or with `/` at its end."""
    path_style: bool = True
    """`host/bucket/key`; False: `bucket.host/key`, as AWS and OBS have it."""
    ca_file: Path | None = None
    """Certificates to trust instead of the public ones."""
    encryption: Encryption | None = None
    encryption_key: str | None = None
    """Name of the key in the store's key service, for `Encryption.KMS`."""
    patience_s: float = 60
    """How long the store may take for an answer, or for the next bytes of one."""

    def __str__(self) -> str:
        return f"{self.endpoint or f'AWS {self.region}'}/{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class S3Credentials:
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class S3Connection:
    """A bucket, and the requests to it. Threads share it."""

    def __init__(
        self, address: S3Address, credentials: Callable[[], S3Credentials], connections: int
    ) -> None:
        """Connect to nothing yet. `credentials` is asked again after the store refused them."""
        self.address = address
        self._credentials = credentials
        self._connections = connections
        self._turn = threading.Lock()
        self._clients: dict[int, Any] = {}

    def call(self, operation: str, key: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Make one request on the bucket, or on an object in it. Raises S3Problem."""
        if key is not None:
            parameters["Key"] = self.address.prefix + key
        if operation in _ONCE and self.address.encryption is not None:
            parameters["ServerSideEncryption"] = str(self.address.encryption)
            if self.address.encryption_key:
                parameters["SSEKMSKeyId"] = self.address.encryption_key
        with self.answering(key):
            client = self._client(1 if operation in _ONCE else _TRIES)
            answer: dict[str, Any] = getattr(client, operation)(
                Bucket=self.address.bucket, **parameters
            )
        sign = _SIGNS.get(operation)
        if sign is not None and answer.get(sign) != self.address.bucket:
            raise S3Problem(
                Trouble.TRANSIENT,
                T(
                    "The answer about {bucket} is not that of an S3 store.",
                    bucket=self.address.bucket,
                ),
                T("Check the address: something else answers there."),
            )
        return answer

    def pages(
        self, operation: str, carry: dict[str, str], key: str | None = None, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield the answers to a request that comes in pages. Raises S3Problem.

        `carry` names what of an answer goes into the next request, and as what.
        """
        while True:
            page = self.call(operation, key, **parameters)
            yield page
            if not page.get("IsTruncated"):
                return
            parameters |= {into: page[name] for name, into in carry.items() if page.get(name)}

    @contextmanager
    def answering(self, key: str | None) -> Iterator[None]:
        """Turn what fails here into an S3Problem."""
        from botocore.exceptions import BotoCoreError, ClientError

        what = self.address.bucket if key is None else f"{self.address.bucket}/{key}"
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            problem = problem_of(error, what)
            if problem.trouble is Trouble.REFUSED:
                self.close()  # the next request reads the credentials again
            raise problem from error

    def close(self) -> None:
        """Give connections back; the next request makes new ones."""
        with self._turn:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _client(self, tries: int) -> Any:
        with self._turn, _making:
            if tries not in self._clients:
                self._clients[tries] = self._connect(tries)
            return self._clients[tries]

    def _connect(self, tries: int) -> Any:
        from botocore.config import Config

        address, credentials = self.address, self._credentials()
        if address.endpoint is not None and not address.endpoint.startswith("https://"):
            raise S3Problem(
                Trouble.REFUSED,
                T("{endpoint} is not encrypted.", endpoint=address.endpoint),
                T("Give an address that starts with https://."),
            )
        if address.ca_file is not None and not address.ca_file.is_file():
            raise S3Problem(
                Trouble.REFUSED, T("ca_file {path} is not there.", path=address.ca_file)
            )
        client = _session().create_client(
            "s3",
            region_name=address.region,
            endpoint_url=address.endpoint,
            verify=str(address.ca_file) if address.ca_file else True,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token,
            config=Config(
                signature_version="s3v4",
                connect_timeout=_CONNECT_S,
                read_timeout=address.patience_s,
                retries={"total_max_attempts": tries, "mode": "standard"},
                max_pool_connections=self._connections,
                proxies={},
                ignore_configured_endpoint_urls=True,
                tcp_keepalive=True,
                # Checksums are ours, in headers; a trailer is more than old stores understand.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={
                    "addressing_style": "path" if address.path_style else "virtual",
                    "payload_signing_enabled": False,
                },
            ),
        )
        client.meta.events.register_first("needs-retry.s3", _keep_the_pause)
        return client


def _keep_the_pause(response: Any, operation: Any, **_: Any) -> None:
    """Try nothing again here where the store asks to be left alone: raise what it said."""
    from botocore.exceptions import ClientError

    if response is not None and "retry-after" in response[0].headers:
        raise ClientError(response[1], operation.name)


@cache
def _session() -> Any:
    """Return the maker of clients; what it has read of S3's description is read once."""
    from botocore.session import Session

    nothing = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return Session(session_vars=nothing)


def is_missing(problem: S3Problem) -> bool:
    """Tell whether the store says that it has no such object (a HEAD has no body to name it)."""
    return problem.code in ("404", "NoSuchKey", "NoSuchVersion")
