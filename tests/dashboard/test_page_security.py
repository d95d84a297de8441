"""What the page's server refuses, and whom: over real connections."""

import asyncio
import fcntl
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from engine_desk import fleet
from page_desk import Page, eventually, page

from drift_engine.dashboard import commands, protocol, security
from drift_engine.dashboard.audit import Audit

JSON = {"Content-Type": "application/json"}


async def refused(site: Page, status: int, path: str = "/api/kill", method: str = "POST", **how: Any) -> str:
    """Ask, expect a status, return the code."""
    async with site.http.request(method, site.origin + path, **how) as response:
        text = await response.text()
        assert response.status == status, (response.status, text)
        assert "script-src 'self'" in response.headers["content-security-policy"]
        return str(json.loads(text)["code"])


async def unlocked(site: Page) -> None:
    status, told = await site.post("/api/unlock", {"token": site.server.token})
    assert (status, told["code"]) == (200, "unlocked")


async def test_read_only_until_unlocked(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        assert await site.get("/api/session") == {"unlocked": False}
        for path in ("/api/kill", "/api/engines/hold/stop", "/api/engines/hold/close", "/api/alerts/test"):
            assert (await site.post(path))[0] == 401, path
        assert manager.asked == []
        await unlocked(site)
        assert await site.get("/api/session") == {"unlocked": True}
        status, told = await site.post("/api/engines/hold/restart")
        assert (status, told["ok"], told["code"], told["message"]) == (200, True, "ok", "restart done")
        assert manager.asked[-1]["do"] == "restart"
        assert manager.asked[-1]["engine"] == "hold"
        assert manager.asked[-1]["who"].startswith("session ")
        assert (await site.post("/api/lock"))[0] == 200
        assert (await site.post("/api/engines/hold/stop"))[0] == 401


async def test_a_session_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "SESSION_S", 0.3)
    async with page(tmp_path) as site:
        await unlocked(site)
        cookie = {"Cookie": f"{security.COOKIE}={next(iter(site.server.doorkeeper._sessions))}"}
        assert (await site.post("/api/alerts/test", {}, **cookie))[0] == 200
        await asyncio.sleep(0.4)
        assert (await site.post("/api/alerts/test", {}, **cookie))[0] == 401


async def test_the_cookie_is_for_this_site_alone(tmp_path: Path) -> None:
    async with page(tmp_path) as site:
        about = {"Origin": site.origin, **JSON}
        body = json.dumps({"token": site.server.token})
        async with site.http.post(f"{site.origin}/api/unlock", data=body, headers=about) as response:
            cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert site.server.token not in cookie
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


async def test_requests_of_other_sites(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        await unlocked(site)
        evil = {"Origin": "http://evil.example", **JSON}
        assert await refused(site, 403, headers=evil, data="{}") == "wrong_origin"
        assert await refused(site, 403, headers={"Origin": "null", **JSON}, data="{}") == "wrong_origin"
        assert await refused(site, 403, headers={"Origin": f"{site.origin}.evil.example", **JSON}) == "wrong_origin"
        assert await refused(site, 403, headers=JSON, data="{}") == "no_origin"
        cross = {"Origin": site.origin, "Sec-Fetch-Site": "cross-site", **JSON}
        assert await refused(site, 403, headers=cross, data="{}") == "cross_site"
        for path in ("/api/stream", "/api/engines", "/metrics", "/static/x.js"):
            hot = {"Sec-Fetch-Site": "cross-site"}
            assert await refused(site, 403, path, "GET", headers=hot) == "cross_site", path
        async with site.http.get(site.origin, headers={"Sec-Fetch-Site": "cross-site"}) as response:
            assert response.status in (200, 404), "a link to the page may stand anywhere"
        form = {"Origin": site.origin, "Content-Type": "application/x-www-form-urlencoded"}
        assert await refused(site, 415, headers=form, data="a=b") == "not_json"
        assert await refused(site, 415, headers={"Origin": site.origin, "Content-Type": "text/plain"}) == "not_json"
        assert await refused(site, 403, "/api/engines", "GET", headers={"Origin": "http://evil.example"})
        assert await refused(site, 405, "/api/engines", "DELETE", headers={"Origin": site.origin}) == "wrong_method"
        assert await refused(site, 405, "/api/engines", "OPTIONS", headers={"Origin": site.origin}) == "wrong_method"
        assert manager.asked == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost:1", "", "a@localhost"]
)
async def test_names_pointed_at_this_server(tmp_path: Path, host: str) -> None:
    async with page(tmp_path) as site:
        named = host.format(port=site.server.port)
        evil = {"Host": named, "Origin": f"http://{named}", **JSON}
        assert await refused(site, 421, headers=evil) == "wrong_host"
        assert await refused(site, 421, "/api/engines", "GET", headers={"Host": named}) == "wrong_host"
        assert await refused(site, 421, "/", "GET", headers={"Host": named}) == "wrong_host"


async def test_our_own_names(tmp_path: Path) -> None:
    async with page(tmp_path) as site:
        for name in ("localhost", "127.0.0.1", "LOCALHOST"):
            async with site.http.get(
                f"{site.origin}/api/engines", headers={"Host": f"{name}:{site.server.port}"}
            ) as response:
                assert response.status == 200


async def test_oversized_bodies(tmp_path: Path) -> None:
    async def drip() -> Any:
        for _ in range(20):
            yield b"x" * 8_192

    async with page(tmp_path) as site:
        about = {"Origin": site.origin, **JSON}
        assert await refused(site, 413, "/api/unlock", headers=about, data=b"x" * 65_537) == "too_large"
        assert await refused(site, 413, "/api/unlock", headers=about, data=drip()) == "too_large"
        deep = b'{"token":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
        assert await refused(site, 400, "/api/unlock", headers=about, data=deep) == "bad_body"
        assert await refused(site, 400, "/api/unlock", headers=about, data=b"[]") == "bad_body"
        assert await refused(site, 401, "/api/unlock", headers=about, data=b'{"token": 7}') == "wrong_token"


async def test_a_connection_that_asks_nothing_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "FIRST_REQUEST_S", 0.2)
    monkeypatch.setattr(commands, "_WITHIN_S", 0.3)
    async with page(tmp_path) as site:
        for text in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x"):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
            writer.write(text)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                async with asyncio.timeout(20):
                    await reader.readexactly(1)
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
        head = f"POST /api/unlock HTTP/1.1\r\nHost: 127.0.0.1:{site.server.port}\r\nOrigin: {site.origin}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{".encode())
        async with asyncio.timeout(20):
            assert b"400 Bad Request" in await reader.readline()
        writer.close()


async def test_a_thousand_wrong_tokens(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        seen: dict[int, int] = {}

        async def guess(number: int) -> None:
            if number % 2:
                status, told = await site.post("/api/unlock", {"token": f"guess-{number}"})
            else:
                status, told = await site.post("/api/kill", {}, Authorization=f"Bearer guess-{number}")
            seen[status] = seen.get(status, 0) + 1
            assert not told["ok"]

        for start in range(0, 1_000, 50):
            await asyncio.gather(*(guess(number) for number in range(start, start + 50)))
        assert set(seen) == {401, 429}
        assert seen[429] > 900
        assert manager.asked == []
        status, _ = await site.post("/api/kill", {}, Authorization=f"Bearer {site.server.token}")
        assert status == 200, "the owner's STOP works while someone guesses"
        assert manager.asked[-1]["do"] == "kill"
        await unlocked(site)
    audit = Audit(tmp_path)
    lines = audit.last(1_000)
    assert audit.first_bad() is None
    assert len(lines) < 20, "a flood is counted, not written line by line"
    assert sum(line.get("count", 0) for line in lines) == 1_000
    assert site.server.token not in audit.path.read_text()


def test_two_who_write_one_audit_keep_its_chain(tmp_path: Path) -> None:
    page, terminal = Audit(tmp_path), Audit(tmp_path)
    for number in range(3):
        page.write("page", "stop", "done", number=number)
        terminal.write("terminal", "kill", "done", number=number)
    assert page.first_bad() is None
    assert [line["who"] for line in page.last(4)] == ["terminal", "page"] * 2
    with page.path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            page.write("page", "start", "done")
    page.write("page", "start", "done")
    assert page.first_bad() is None
    assert len(page.last(100)) == 7


async def test_an_audit_that_was_changed_shows(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    for number in range(4):
        audit.write("me", "kill", "done", number=number)
    assert Audit(tmp_path).first_bad() is None
    text = audit.path.read_text().splitlines()
    audit.path.write_text("\n".join([text[0], text[2], text[3]]) + "\n")
    assert Audit(tmp_path).first_bad() == 2


async def test_commands_are_limited_and_stop_is_not(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold"), page(tmp_path) as site:
        await unlocked(site)
        statuses = [(await site.post("/api/engines/hold/settle"))[0] for _ in range(40)]
        assert statuses.count(429) > 5
        assert (await site.post("/api/kill"))[0] == 200


async def test_live_is_confirmed_and_refused(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        await unlocked(site)
        assert (await site.post("/api/engines/hold/start", {"mode": "live"}))[1]["code"] == "confirm"
        told = (await site.post("/api/engines/hold/start", {"mode": "LIVE", "confirm": "LIVE hold"}))[1]
        assert told["code"] == "not_live_yet"
        assert manager.asked == []


async def test_stop_reaches_the_engines_without_a_manager(tmp_path: Path) -> None:
    async with fleet(tmp_path, "hold", "funding_farm") as manager, page(tmp_path) as site:
        await unlocked(site)
        desks = manager.desks
        (tmp_path / "manager.sock").unlink()
        status, told = await site.post("/api/kill")
        assert (status, told["code"]) == (200, "killing")
        assert all("kill" in [request["do"] for request in desk.asked] for desk in desks)
        (tmp_path / "funding-farm.sock").unlink()
        status, told = await site.post("/api/kill")
        assert (status, told["code"]) == (409, "partly")
        assert "cannot be reached" in told["data"]["funding-farm"]
        status, told = await site.post("/api/engines/hold/stop")
        assert (status, told["code"]) == (503, "unreachable")
        (tmp_path / "funding-farm.sock").touch()


async def test_stop_does_not_wait_for_a_manager_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_WITHIN_S", 60.0)
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        await unlocked(site)
        manager.hangs = True
        asking = asyncio.create_task(site.post("/api/kill"))
        await eventually(lambda: "kill" in [request["do"] for request in manager.desks[0].asked])
        status, told = await asking
        assert (status, told["code"]) == (200, "killing")


async def test_an_engine_that_does_not_answer_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commands._WITHIN_S < 5
    monkeypatch.setattr(commands, "_WITHIN_S", 1.0)
    async with fleet(tmp_path, "hold") as manager, page(tmp_path) as site:
        await unlocked(site)
        manager.desks[0].silent = True
        began = asyncio.get_running_loop().time()
        status, told = await site.post("/api/engines/hold/close", {"market": "SOL-PERP"})
        assert (status, told["code"]) == (504, "timeout")
        assert asyncio.get_running_loop().time() - began < 1.5


async def test_unknown_engines_and_paths(tmp_path: Path) -> None:
    async with page(tmp_path) as site:
        for path in ("/api/engines/none", "/api/engines/..%2ftoken/logs", "/api/engines/none/history", "/token"):
            async with site.http.get(site.origin + path) as response:
                assert response.status == 404, path
        async with site.http.get(f"{site.origin}/api/kill") as response:
            assert response.status == 405
        async with aiohttp.ClientSession() as other, other.get(f"{site.origin}/api/audit") as response:
            assert response.status == 401
