"""The walls around every request, as plain ASGI: headers, cross-site refusal, a size limit, one log line."""

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

BODY_LIMIT = 1_000_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)

HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Walls:
    def __init__(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        refused: Callable[[Request], Response],
        broken: Callable[[Request, Exception], Response],
    ) -> None:
        self.app = app
        self.refused = refused
        self.broken = broken
        self.scheme, self.host = urlsplit(base_url)[:2]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["request_id"] = secrets.token_hex(8)
        started = time.perf_counter()
        status = 0
        head = scope["method"] == "HEAD"
        if head:  # behind the same guards as GET, by being it; only its body is kept back
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(MutableHeaders(scope=message), scope["request_id"])
            elif head:
                message = {**message, "body": b""}
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS and not self._own_page(headers):
            await self.refused(Request(scope))(scope, receive, send_with_headers)
        else:
            try:
                await self.app(scope, _limited(receive), send_with_headers)
            except Exception as error:  # here, so that the page for our own faults has its headers too
                if status:
                    raise
                await self.broken(Request(scope), error)(scope, receive, send_with_headers)
        # The route's pattern, never the address: a case number or a search word stays out of the log.
        route = scope.get("route")
        log.info(
            "request",
            id=scope["request_id"],
            method="HEAD" if head else scope["method"],
            route=getattr(route, "path", "-"),
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )

    def _dress(self, headers: MutableHeaders, request_id: str) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers["X-Request-Id"] = request_id
        if self.scheme == "https":
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        # What a shared ward computer has shown must not come back with the back button after log-out.
        headers.setdefault("Cache-Control", "no-store")

    def _own_page(self, headers: Headers) -> bool:
        """Whether an unsafe request comes from a page of ours: Sec-Fetch-Site, else Origin, else no."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return headers.get("origin", "") in {
            f"{self.scheme}://{host}" for host in (self.host, headers.get("host"))
        }


class BodyTooLargeError(Exception):
    pass


def _limited(receive: Receive) -> Receive:
    """Counts the bytes that come, whatever Content-Length says."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT:
            raise BodyTooLargeError
        return message

    return counted
