"""A server that answers as the API does, as far as the stand-alone files ask it."""

import copy
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.verifier.makers import JWKS, WEIGHTS, proof_of


class Server(ThreadingHTTPServer):
    """Serves a proof as the API does, a page of 25 numbers or a file, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proof: Any = proof_of(WEIGHTS)
        self.asked: list[tuple[str, str | None]] = []
        self.elsewhere = ""

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def page(self) -> Any:
        page = copy.deepcopy(self.proof)
        if "entries" in page and len(page["entries"]["data"]) > 25:
            page["entries"].update(data=page["entries"]["data"][:25], nextCursor="26")
        return page


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        self.server.asked.append((self.path, self.headers["X-Publishable-Key"]))
        if path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
        elif path.startswith("/draws/1/proof"):
            whole = path == "/draws/1/proof/file"
            self.answer(200, json.dumps(self.server.proof if whole else self.server.page()).encode())
        elif path == "/jwks.json":
            self.answer(200, json.dumps(JWKS).encode())
        elif path.startswith("/endless"):
            self.answer(200, json.dumps(self.server.page()).encode())
        else:
            self.answer(int(path[1:]) if path[1:].isdigit() else 404, b"no JSON")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def running() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
