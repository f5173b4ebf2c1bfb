"""The documentation page: one HTML document with nothing in it from anywhere else, and no script at all."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

import msgspec

from dateflicks import __version__
from dateflicks.server.web.openapi import RULES_TEXT, close_codes, openapi_document, operation_id
from dateflicks.server.web.route import Auth, Route
from dateflicks.server.web.service import Feed, Service

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
h1,h2{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid #8886;padding-bottom:.3rem}
code,pre{font:0.9em/1.4 ui-monospace,monospace}
pre{background:#8881;padding:.8rem;border-radius:.4rem;overflow:auto}
details{border:1px solid #8884;border-radius:.4rem;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}summary code{font-weight:600}
table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
.m{display:inline-block;min-width:4.2rem}.q{opacity:.7}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_CODE: Final = re.compile(r"`([^`]+)`")
_ELSEWHERE: Final = (
    '<p>For programs: <a href="/docs/openapi.json">openapi.json</a>. Also: <a href="/health">health</a>, '
    '<a href="/metrics">metrics</a>, <a href="/services">services</a>.</p>'
)
_AUTH: Final[Mapping[Auth, str]] = {
    "none": "no token",
    "optional": "a token, or none",
    "user": "a person's token",
    "user-or-ticket": "a person's token or a session's ticket",
}

DOCS_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def docs_page(name: str, services: Sequence[Service]) -> str:
    """The page of an app."""
    document = openapi_document(name, services)
    parts = [
        f"<h1>DATEFLICKS <small class=q>{escape(name)} {escape(__version__)}</small></h1>",
        f"<p>{_text(RULES_TEXT)}</p>",
        _ELSEWHERE,
    ]
    for service in services:
        parts.append(f'<h2 id="{escape(service.name)}">{escape(service.name)}</h2><p>{_text(service.summary)}</p>')
        parts += [_call(route, document) for route in service.routes]
        parts += [_feed(feed, document) for feed in service.feeds]
    parts.append("<h2 id=shapes>Shapes</h2>")
    parts += [_shape(shape, schema) for shape, schema in sorted(document["components"]["schemas"].items())]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">\n'
        f"<title>DATEFLICKS: {escape(name)}</title><style>{_STYLE}</style>\n{body}\n</html>\n"
    )


def _call(route: Route, document: Mapping[str, Any]) -> str:
    operation = document["paths"][route.path][route.method.lower()]
    rows = [("Needs", escape(_AUTH[route.auth]))]
    rows += [
        (f"{'Query' if parameter['in'] == 'query' else 'Path'}", f"<code>{escape(parameter['name'])}</code> ")
        for parameter in operation["parameters"]
    ]
    if route.body is not None:
        rows.append(("Body", _link(route.body.__name__) + ("" if route.body_required else " (may be missing)")))
    answer = _link(route.answer.__name__) if route.answer is not None else "nothing"
    rows.append(("Answer", f"{route.status}: {answer}"))
    rows.append(("Errors", ", ".join(str(status) for status in route.statuses)))
    return _section(
        operation_id(route.method, route.path), route.method, route.path, route.summary, rows, route.description
    )


def _feed(feed: Feed, document: Mapping[str, Any]) -> str:
    entry = next(entry for entry in document["x-websocket"] if entry["path"] == feed.path)
    rows = [("Needs", escape(_AUTH[feed.auth]))]
    for side, label in (("client", "You send"), ("server", "You get")):
        names = [reference["$ref"].rsplit("/", 1)[1] for reference in entry[side]]
        rows.append((label, ", ".join(_link(found) for found in names) or "nothing"))
    rows.append(("Closed with", "<br>".join(f"{code}: {escape(why)}" for code, why in close_codes(feed).items())))
    return _section(operation_id("ws", feed.path), "WS", feed.path, feed.summary, rows, feed.description)


def _section(
    anchor: str, method: str, path: str, summary: str, rows: Iterable[tuple[str, str]], description: str
) -> str:
    table = "".join(f"<tr><th>{label}<td>{value}" for label, value in rows)
    more = f"<p>{_text(description)}</p>" if description else ""
    return (
        f'<details id="{escape(anchor)}"><summary><span class=m>{method}</span><code>{escape(path)}</code>'
        f" {_text(summary)}</summary>{more}<table>{table}</table></details>"
    )


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    text = msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
    about = _text(schema.get("description", ""))
    return (
        f'<details id="shape-{escape(name)}"><summary><code>{escape(name)}</code> {about}</summary>'
        f"<pre>{escape(text)}</pre></details>"
    )


def _link(name: str) -> str:
    return f'<a href="#shape-{escape(name)}">{escape(name)}</a>'


def _text(text: str) -> str:
    """Plain text with `code` in it."""
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n\n", "</p><p>")
