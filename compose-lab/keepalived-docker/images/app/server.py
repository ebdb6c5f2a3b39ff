"""Stand-in for the application of an active-passive pair: a small HTTP service with its state in redis.

    GET    /health              200 if redis answers and the service is not marked as failed, else 503
    POST   /visits              counts a visit in redis and returns the new count
    POST   /rows/NAME?row=TEXT  adds a row to the list NAME
    GET    /rows/NAME           the rows of the list, in the order of arrival
    DELETE /rows/NAME           removes the list

All answers are JSON with the node, and with the origin of the data: the name of the node that first used this redis. Each
node has its own redis without replication, so a failover is visible as other data.

The service is marked as failed while the file UNHEALTHY_FILE exists.
"""

import json
import os
import re
import signal
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NODE = os.environ["NODE_NAME"]
REDIS = (os.environ.get("REDIS_HOST", "redis"), 6379)
UNHEALTHY_FILE = os.environ.get("UNHEALTHY_FILE", "/run/app/unhealthy")
# Below 1 s, the timeout of most clients, so that the answer names a redis that hangs.
REDIS_TIMEOUT_SECONDS = 0.5


class RedisError(Exception):
    """redis gave no answer, or an unexpected one."""


def redis(*words):
    """Sends one command on a new connection and returns the answer as text."""
    request = b"*%d\r\n" % len(words)
    for word in words:
        raw = word.encode()
        request += b"$%d\r\n%s\r\n" % (len(raw), raw)
    try:
        with socket.create_connection(REDIS, timeout=REDIS_TIMEOUT_SECONDS) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as answer:
                line = answer.readline().decode().rstrip("\r\n")
                if line == "$-1":
                    return ""
                if re.match(r"\$\d", line):
                    return answer.readline().decode().rstrip("\r\n")
    except OSError as error:
        raise RedisError(f"redis: {error}") from error
    # For example -LOADING, while redis reads its append-only file.
    if line == "" or line[0] not in "+:":
        raise RedisError(f"redis: {line or 'no answer'}")
    return line[1:]


def origin():
    """The node that first used this redis."""
    redis("SETNX", "origin", NODE)
    return redis("GET", "origin")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Seconds. A client that keeps its connection open and disappears occupies a thread for this time.
    timeout = 30

    def do_GET(self):
        if self.rows_name():
            self.try_answer(lambda: {"rows": redis("GET", self.rows_name()).split()})
        elif self.path != "/health":
            self.answer(404, {})
        elif os.path.exists(UNHEALTHY_FILE):
            self.answer(503, {"status": "marked as failed"})
        else:
            self.try_answer(lambda: {"status": "ok"})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        row = re.fullmatch(r"row=([\w-]+)", urlsplit(self.path).query)
        if self.rows_name() and row:
            self.try_answer(lambda: {"bytes": int(redis("APPEND", self.rows_name(), row[1] + " "))})
        elif self.path != "/visits":
            self.answer(404, {})
        else:
            self.try_answer(lambda: {"visits": int(redis("INCR", "visits"))})

    def do_DELETE(self):
        if self.rows_name():
            self.try_answer(lambda: {"removed": int(redis("DEL", self.rows_name()))})
        else:
            self.answer(404, {})

    def rows_name(self):
        """The key of the list in the path, if there is one."""
        found = re.fullmatch(r"/rows/(\w+)", urlsplit(self.path).path)
        return found and f"rows:{found[1]}"

    def try_answer(self, work):
        try:
            self.answer(200, {**work(), "data": origin()})
        except RedisError as error:
            self.answer(503, {"status": str(error)})

    def answer(self, status, body):
        text = json.dumps({"node": NODE, **body}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, code="-", size="-"):
        """No log line: probes send many requests a second, and drills read the journal."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A broken client connection is not an error of the service."""


# PID 1 of a container ignores SIGTERM without a handler.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print(f"serving on port 8080 as {NODE}")
Server(("", 8080), Handler).serve_forever()
