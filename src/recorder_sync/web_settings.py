"""Settings of the web service: `[web]`."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from recorder_sync.section import AbsolutePath, Section


class GuideChapter(Section):
    """One chapter of the wording guide (Art. 18)."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    """Its sentences, each on a line of its own."""


class Web(Section):
    """Where the dock screen and the console are served, and to whom."""

    enabled: bool = True
    """Whether `recorder-sync run` serves them as well; `recorder-sync web` always does."""
    address: str = "127.0.0.1"
    """Address to listen at. Other than this computer's own only with a certificate, or
    behind a proxy that has one."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8470
    certificate: AbsolutePath | None = None
    """PEM file of the certificate and its chain. None: plain HTTP, for this computer only."""
    certificate_key: AbsolutePath | None = None
    """PEM file of its private key, readable by the service's user only."""
    behind_proxy: bool = False
    """A proxy on this computer has the certificate and hands requests on."""
    public_address: Annotated[str | None, Field(pattern=r"^https?://[^/\s]+$")] = None
    """Address by which people's browsers reach the pages, such as https://dock-01.example; it is
    in QR labels and one-time links. None: as it is listened at."""
    session_hours: Annotated[float, Field(gt=0, le=24 * 7)] = 12.0
    """How long somebody stays signed in at most."""
    idle_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 30.0
    """How long without a request until somebody is signed out."""
    requests_per_s: Annotated[float, Field(ge=1, le=100_000)] = 50.0
    """Requests a second that one address may make for long; six times as many at once."""
    tries_at_once: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Passwords, PINs and links that one address may try at once; then one every 3 seconds."""
    dock_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks from which the dock screen may be opened without signing in."""
    dock_grid: tuple[tuple[str, ...], ...] = ()
    """Ports as they are placed, row by row; an empty name leaves a place empty. Empty: as
    they are found."""
    dock_sounds: bool = True
    """Sound on the dock screen when a device is done, or needs somebody."""
    guide: tuple[GuideChapter, ...] = ()
    """The wording guide on the dock screen. Empty: one that follows the Measures."""

    @field_validator("dock_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError("should be networks such as 192.168.1.0/24") from None
        return networks

    @model_validator(mode="after")
    def _is_safe(self) -> "Web":
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together")
        is_own = self.address in ("localhost", "::1") or self.address.startswith("127.")
        if not is_own and self.certificate is None and not self.behind_proxy:
            raise ValueError(
                "address is not this computer's own: a certificate is needed, or behind_proxy"
            )
        return self

    @property
    def link_address(self) -> str:
        """The beginning of every address that is given to people."""
        if self.public_address is not None:
            return self.public_address
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.is_encrypted else 'http'}://{host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers come by HTTPS."""
        return self.certificate is not None or self.behind_proxy
