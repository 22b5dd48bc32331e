"""AWS credentials by HTTP, as a task of ECS gets them: other ones every minute."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIFE_S = 60


class Keys:
    def __init__(self) -> None:
        self.given: set[int] = set()
        given = self.given

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                # A key lives for two turns, and is replaced in the first of them.
                turn = int(time.time() // LIFE_S)
                given.add(turn)
                end = datetime.fromtimestamp((turn + 2) * LIFE_S, UTC)
                body = json.dumps(
                    {
                        "AccessKeyId": f"AKIA{turn}",
                        "SecretAccessKey": "s",
                        "Token": "t",
                        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    }
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
