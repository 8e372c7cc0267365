"""Browsers of other computers come by TLS only, and what is set up wrongly is said at the start."""

import datetime
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import Dock
from tests.web.served import PASSWORD, Service


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this computer that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = folder / "web.pem", folder / "web-key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key_file


def test_with_a_certificate_everything_is_encrypted_and_the_cookie_is_for_that_only(
    dock: Dock, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    service = Service(dock)
    service.configure(web={"certificate": str(certificate), "certificate_key": str(key)})
    address = f"https://localhost:{service.port}"
    with service:
        invited = dock.run("accounts", "add", "wang", "--role", "custodian", "--json").json["link"]
        assert invited.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=address, verify=trusted, timeout=30) as client:
            path = "/invitation/" + invited.partition("/invitation/")[2]
            answer = client.post(path, data={"password": PASSWORD, "again": PASSWORD})
            assert answer.status_code == 303, answer.text
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-session=")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
            assert client.get("/").status_code == 200
            assert "max-age=" in client.get("/").headers["strict-transport-security"]
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://localhost:{service.port}/")


def test_behind_a_proxy_cookies_are_for_https_and_who_asks_is_whom_the_proxy_names(
    dock: Dock,
) -> None:
    """As nginx hands requests on: what it adds comes last."""
    service = Service(dock)
    service.configure(
        web={"behind_proxy": True, "public_address": "https://dock-01.example"},
    )
    host = {"host": "dock-01.example", "x-forwarded-proto": "https"}
    far = {**host, "x-forwarded-for": "127.0.0.1, 192.0.2.9"}
    with service, httpx.Client(base_url=service.address, timeout=30) as client:
        service.account("wang", "custodian")
        form = {"name": "wang", "password": PASSWORD}
        own = {**far, "origin": "https://dock-01.example"}
        answer = client.post("/sign-in", data=form, headers=own)
        assert answer.status_code == 303, answer.text
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert client.get("/dock", headers=far).status_code == 303, "it only says that it is near"
        near = {**host, "x-forwarded-for": "127.0.0.1"}
        assert client.get("/dock", headers=near).status_code == 200


def test_without_a_proxy_nobody_is_taken_for_another_by_what_they_say(service: Service) -> None:
    claimed = {"x-forwarded-for": "192.0.2.9", "x-forwarded-proto": "https"}
    assert httpx.get(f"{service.address}/dock", headers=claimed).status_code == 200
    service.account("wang", "custodian")
    form = {"name": "wang", "password": PASSWORD}
    answer = httpx.post(f"{service.address}/sign-in", data=form, headers=claimed)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


def test_a_port_that_is_taken_and_a_bad_certificate_end_the_service_with_what_to_do(
    dock: Dock, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        dock.configure(web={"port": taken.getsockname()[1]})
        done = dock.run("web")
        assert done.code == 3
        assert "Choose another web.port" in done.err
    certificate, _ = make_certificate(tmp_path)
    dock.configure(web={"certificate": str(certificate), "certificate_key": str(tmp_path / "no")})
    done = dock.run("web")
    assert done.code == 3
    assert "The certificate cannot be used" in done.err


@pytest.mark.parametrize(
    ("web", "says"),
    [
        ({"address": "0.0.0.0"}, "a certificate is needed"),
        ({"certificate": "/etc/web.pem"}, "belong together"),
        ({"dock_networks": ["everywhere"]}, "should be networks"),
        ({"port": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_would_let_anybody_listen_are_refused(
    dock: Dock, web: dict[str, object], says: str
) -> None:
    dock.configure(web=web)
    done = dock.run("config", "check")
    assert done.code == 2
    assert "web" in done.err
    assert says in done.err
