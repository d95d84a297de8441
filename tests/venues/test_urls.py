"""Addresses: shown without secrets, and refused where they are none."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from drift_engine.venues import http
from drift_engine.venues.rpc import transport
from drift_engine.venues.streams import kept_socket
from drift_engine.venues.urls import checked_url, shown

KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (KEY, "…"),
        (f"{KEY}.rpcpool.example:8899", "….rpcpool.example:8899"),
        (f"me:pw@acme-{KEY}.mainnet.example", "acme-….mainnet.example"),
        ("7f4a1c9e-0b2d-4e6f-8a1b-3c5d7e9f0a2b.node.example", "….node.example"),
        ("4fjk29dlslwoq8vnzb71p0.node.example", "….node.example"),
        ("QmYwAPJzvTkrsCEVRXadvuwL.node.example", "….node.example"),
        ("12345678901234567890.node.example", "….node.example"),
        (f"solana.{KEY}.node.example", "solana.….node.example"),
    ],
)
def test_a_key_in_a_host_is_hidden(host: str, expected: str) -> None:
    assert shown(f"https://{host}") == f"https://{expected}"
    assert shown(f"https://{host}/{KEY}") == f"https://{expected}/…"


@pytest.mark.parametrize(
    "host",
    [
        "mainnet.helius-rpc.com",
        "api.mainnet-beta.solana.com",
        "cool-bitter-frost.solana-mainnet.quiknode.pro",
        "solanamainnetvalidator01.example:8899",
        "internationalizationservices.example",
        "ip-192-168-100-101.eu-central-1.compute.internal",
        "127.0.0.1:8899",
        "[2001:db8:85a3:1234:5678:8a2e:370:7334]:8899",
        "localhost",
    ],
)
def test_an_ordinary_host_is_readable(host: str) -> None:
    assert shown(f"https://{host}") == f"https://{host}"


@pytest.mark.parametrize("reason", [http._kind, transport._reason, kept_socket._reason])
def test_a_certificate_of_another_host_names_no_key(reason: Callable[[Exception], str]) -> None:
    said = f"certificate verify failed: Hostname mismatch, certificate is not valid for '{KEY}.rpcpool.example'"
    key = ConnectionKey(f"{KEY}.rpcpool.example", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorCertificateError(key, ssl.SSLCertVerificationError(1, said))
    assert reason(error) == said.replace(KEY, "…")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h:1", "https://h:1"),
        ("https://h:1/", "https://h:1"),
        ("https://h:1/a/b", "https://h:1/…"),
        ("https://user:pass@h/a?api-key=abc&x=1", "https://h/…"),
        ("https://h?api-key=abc", "https://h/…"),
        (f"https://h/v2/{KEY}", "https://h/…"),
    ],
)
def test_a_shown_url_has_no_secrets(url: str, expected: str) -> None:
    assert shown(url) == expected


@pytest.mark.parametrize("url", ["", "h:80", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://[::1"])
def test_what_is_no_address_is_refused_with_what_one_is(url: str) -> None:
    with pytest.raises(ValueError, match="it must begin with http or https and name a host"):
        checked_url(url, ("http", "https"))


def test_a_refusal_shows_no_secret() -> None:
    for url in (f"ftp://me:{KEY}@h/{KEY}", f"http://me:{KEY}@h\uff0fx", f"http://me:{KEY}@h:{KEY}"):
        with pytest.raises(ValueError, match="no address") as raised:
            checked_url(url, ("http", "https"))
        assert KEY not in str(raised.value)
