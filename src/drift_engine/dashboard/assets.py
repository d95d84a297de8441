"""The page itself: files of ours, and the chart library that the ``plotly`` package carries; nothing from elsewhere.

A browser asks again each time whether a file changed (``ETag``); what can be compressed is, once.
"""

import gzip
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).with_name("static")
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
_NAME = re.compile(r"[A-Za-z0-9_.\-/]{1,200}")
_COMPRESSED = (".html", ".js", ".css", ".svg", ".json")


class Asset(Struct, frozen=True):
    """A file as it is sent."""

    kind: str
    tag: str
    body: bytes
    squeezed: bytes | None


_kept: dict[tuple[Path, int], Asset] = {}


def charts_path() -> Path:
    """Return the place of the chart library, without importing the package that carries it."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the plotly package is not installed")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def _find(name: str) -> Path | None:
    """Return the file of a name below ``static``; nothing above it, and no kind that is not listed."""
    if not _NAME.fullmatch(name):
        return None
    path = (STATIC / name).resolve()
    return path if path.is_relative_to(STATIC.resolve()) and path.suffix in _KINDS and path.is_file() else None


def _load(path: Path) -> Asset:
    key = (path, path.stat().st_mtime_ns)
    if key not in _kept:
        body = path.read_bytes()
        squeezed = gzip.compress(body, 6, mtime=0) if path.suffix in _COMPRESSED else None
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        _kept[key] = Asset(_KINDS[path.suffix], tag, body, squeezed)
    return _kept[key]


def asset(request: Request) -> Response:
    """Send a file. (Starlette runs it in a thread: files are read here.)"""
    path = _find(request.path_params.get("path", "index.html"))
    if path is None:
        return Response("there is no such file", 404, media_type="text/plain")
    return _sent(request, _load(path))


def charts(request: Request) -> Response:
    """Send the chart library."""
    return _sent(request, _load(charts_path()))


def _sent(request: Request, found: Asset) -> Response:
    headers = {"etag": found.tag, "cache-control": "no-cache", "vary": "accept-encoding", "content-type": found.kind}
    if found.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if found.squeezed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.squeezed, headers=headers | {"content-encoding": "gzip"})
    return Response(found.body, headers=headers)
