"""Addresses: shown without secrets, and refused where they are none."""

from __future__ import annotations

import pytest

from drift_engine.venues.urls import checked_url, shown

KEY = "0123456789abcdef0123456789abcdef"


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
