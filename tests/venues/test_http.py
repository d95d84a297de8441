"""One request, one answer or one error that says whether anything was sent; secrets stay hidden."""

import asyncio
import socket

import pytest
from aiohttp import web
from service_stage import Service, service, serving

from drift_engine.core.client import VenueUnavailableError
from drift_engine.venues.http import (
    Answer,
    FailedAnswerError,
    HttpService,
    InvalidRequestError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
    UnreachableError,
)

KEY = "s3cr3tkeys3cr3tkey"


def client(made: Service, **kwargs: object) -> HttpService:
    return HttpService(made.url, name="thing", **kwargs)  # type: ignore[arg-type]


async def test_a_request_goes_out_as_asked_and_its_answer_comes_back_whole() -> None:
    async with service() as made, client(made, headers={"X-Mine": "yes"}) as http:
        made.reply("POST /a", {"b": 1}, 201, {"X-Bundle-Id": "abc"})
        answer = await http.request("POST", "/a", query={"n": 1}, body={"c": "d"})
        assert (answer.status, answer.text, answer.headers["x-bundle-id"]) == (201, '{"b": 1}', "abc")
        assert (made.last.json, made.last.query) == ({"c": "d"}, {"n": "1"})
        assert made.last.headers["x-mine"] == "yes"
        assert made.last.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH"])
async def test_a_cut_connection_is_unknown_and_nothing_is_sent_twice(method: str) -> None:
    async with service() as made, client(made) as http:
        made.reply("GET /warm", {})
        made.cut(f"{method} /send")
        await http.request("GET", "/warm")  # the next request goes over this kept connection
        with pytest.raises(VenueUnavailableError, match="connection lost") as raised:
            await http.request(method, "/send", body={"x": 1})
        assert not isinstance(raised.value, UnreachableError)
        assert made.asked(method, "/send") == 1


async def test_a_cut_in_the_middle_of_the_answer_is_unknown() -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"tx"')
        assert request.transport is not None
        request.transport.close()
        return response

    async with service() as made, client(made) as http:
        made.on("POST /send", half)
        with pytest.raises(VenueUnavailableError, match="connection lost"):
            await http.request("POST", "/send")


async def test_a_slow_answer_is_unknown() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with service() as made, client(made, timeout_s=0.1) as http:
        made.on("POST /send", slow)
        with pytest.raises(VenueUnavailableError, match=r"no answer in 0\.1 s") as raised:
            await http.request("POST", "/send")
        assert not isinstance(raised.value, UnreachableError)
        assert made.asked("POST", "/send") == 1


async def test_nobody_there_means_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        port = taken.getsockname()[1]
        async with HttpService(f"http://127.0.0.1:{port}", name="thing") as http:
            with pytest.raises(UnreachableError, match=f"thing at http://127.0.0.1:{port} is not reachable"):
                await http.request("POST", "/send")


async def test_a_redirect_is_not_followed() -> None:
    async with service() as made, client(made) as http:
        made.reply("POST /send", "", 307, {"Location": "/other"})
        made.reply("POST /other", {})
        error = http.refusal(await http.request("POST", "/send"))
        assert isinstance(error, RefusedError)
        assert "not followed" in str(error)
        assert made.asked("POST", "/other") == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (401, RefusedError),
        (404, NotFoundError),
        (408, FailedAnswerError),
        (422, RefusedError),
        (429, RateLimitedError),
        (500, FailedAnswerError),
        (503, FailedAnswerError),
    ],
)
async def test_statuses_become_errors_of_the_right_kind(status: int, kind: type[Exception]) -> None:
    async with service() as made, client(made) as http:
        made.reply("GET /a", "too\nbad", status)
        error = http.refusal(await http.request("GET", "/a"))
        assert type(error) is kind
        assert (error.status, error.reason) == (status, "too bad")
        assert isinstance(error, VenueUnavailableError) == (status in {408, 500, 503})


@pytest.mark.parametrize(("text", "seconds"), [("2.5", 2.5), ("", None), ("soon", None), ("-1", None), ("nan", None)])
def test_the_wait_asked_for_is_told(text: str, seconds: float | None) -> None:
    error = HttpService("http://h", name="t").refusal(Answer(429, {"retry-after": text}, b""))
    assert isinstance(error, RateLimitedError)
    assert (error.retry_after_s, error.reason) == (seconds, "no reason given")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":"x"}', b"[" * 100_000])
def test_what_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedAnswerError, match="thing: "):
        HttpService("http://h", name="thing").decode(body, dict[str, int])


async def test_an_endless_answer_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drift_engine.venues.http.MAX_BODY_BYTES", 1000)
    async with service() as made, client(made) as http:
        made.reply("GET /a", "x" * 1001)
        with pytest.raises(MalformedAnswerError, match="longer than 1000"):
            await http.request("GET", "/a")


async def test_secrets_are_hidden_in_every_error_even_when_the_service_repeats_them() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=f"bad {request.headers['x-auth']} {request.path}", status=400)

    async with serving(echo) as url:
        base = url.replace("http://", "http://me:p4ssw0rd@") + f"/{KEY}"
        async with HttpService(base, name="thing", headers={"x-auth": KEY}, secrets=(KEY,)) as http:
            shown = [repr(http), str(http.refusal(await http.request("GET", "/v1")))]
            with pytest.raises(VenueUnavailableError) as raised:
                await http.request("GET", "/v1", timeout_s=0.000001)
            shown.append(str(raised.value))
            assert raised.value.__suppress_context__
        assert not any(secret in text for text in shown for secret in (KEY, "p4ssw0rd", "me:"))


@pytest.mark.parametrize(
    "url", ["", "h:80", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://[::1", "http://h?uuid=1"]
)
def test_an_unusable_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidRequestError):
        HttpService(url, name="thing")


async def test_a_session_of_the_caller_is_left_open() -> None:
    import aiohttp

    async with service() as made, aiohttp.ClientSession() as session:
        made.reply("GET /a", {})
        async with client(made, session=session) as http:
            await http.request("GET", "/a")
        assert not session.closed


def test_long_reasons_are_cut() -> None:
    assert len(HttpService("http://h", name="t").clean("x" * 5000)) == 301
