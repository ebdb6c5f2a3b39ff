"""Stand-ins for Glance and Neutron, for the requests of Nova with its fake driver: one public image, and a network
service with only empty lists."""

import http.server
import json

IMAGE = {
    "id": "6f70656e-7374-4163-8b00-000000000001",
    "name": "nothing",
    "status": "active",
    "visibility": "public",
    "container_format": "bare",
    "disk_format": "raw",
    "min_disk": 0,
    "min_ram": 0,
    "size": 1,
    "owner": "",
    "protected": False,
    "tags": [],
    "created_at": "2025-01-01T00:00:00Z",
    "updated_at": "2025-01-01T00:00:00Z",
    "schema": "/v2/schemas/image",
}


def answer(path):
    segments = [part for part in path.split("?")[0].split("/") if part]
    if segments[-2:] == ["schemas", "image"]:
        return {"name": "image", "properties": {key: {} for key in IMAGE}, "additionalProperties": True}
    if "images" in segments:
        return IMAGE
    name = segments[-1].replace("-", "_") if segments else "versions"
    return {name: []}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps(answer(self.path)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 9292), Handler).serve_forever()
