"""A model hub on the loopback interface: what huggingface_hub and ModelScope ask of theirs, with faults on demand."""

import hashlib
import json
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REPO = "maker/small-model"
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Fault:
    """What happens to one request for a file: an HTTP status, a cut, wrong bytes, or a line that is slow or dead."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int = -1
    stall_after: int = -1
    spoil: bool = False
    bytes_per_second: int = 0


@dataclass
class Asked:
    """One request that came in, and how many bytes of the body went out."""

    path: str
    range: str
    authorization: str
    host: str
    sent: int = 0
    status: int = 0


class Hub:
    """The state of the server; tests change it while it runs."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)
        self.gated = False
        self.token = ""
        self.code = "GatedRepo"
        self.names: list[str] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.address = ""
        self.cdn = ""

    def sent(self, name: str) -> int:
        """Bytes of the file `name` that went out, over all requests."""
        return sum(one.sent for one in self.asked if one.path.endswith(f"/{name}"))

    def times(self, name: str) -> int:
        """How often the file `name` was asked for where its bytes are."""
        return sum(one.path.endswith(f"/{name}") and one.status != 302 for one in self.asked)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Hub]:
    """Run a hub with one repository, REPO, until the end of the block."""
    hub = Hub(files)

    class Handler(_Handler):
        state = hub

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    hub.address = f"http://127.0.0.1:{server.server_port}"
    hub.cdn = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up in the middle are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Hub

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        hub, url = self.state, urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        asked = Asked(
            path, self.headers.get("Range", ""), self.headers.get("Authorization", ""), self.headers.get("Host", "")
        )
        with hub.lock:
            hub.asked.append(asked)
        self._asked = asked
        try:
            self._answer(hub, path, query)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, hub: Hub, path: str, query: dict[str, list[str]]) -> None:
        if path == "/api/models":
            return self._json([])
        if path == f"/api/models/{REPO}":
            return self._faulty("listing") or self._json(_info(hub))
        if path == f"/api/v1/models/{REPO}/repo/files":
            return self._faulty("listing") or self._json({"Code": 200, "Success": True, "Data": {"Files": _rows(hub)}})
        if path == f"/api/v1/models/{REPO}/repo":
            self._asked.path = f"/scope/{query['FilePath'][0]}"
            return self._file(hub, query["FilePath"][0])
        if path.startswith("/api/v1/models/"):
            return self._json({"Code": 200}) if "/repo" not in path else self._refuse(404)
        if path.startswith(f"/{REPO}/resolve/{REVISION}/"):
            name = path.rpartition("/")[2]
            if hub.gated and self._asked.authorization != f"Bearer {hub.token}":
                bad = bool(self._asked.authorization)
                return self._refuse(403 if bad else 401, {"X-Error-Code": hub.code} if hub.code else {})
            if name.endswith(".safetensors"):
                # large files lie elsewhere, as those of the Hub do
                return self._refuse(302, {"Location": f"{hub.cdn}/cdn/{name}"})
            return self._file(hub, name)
        if path.startswith("/cdn/"):
            return self._file(hub, path.rpartition("/")[2])
        return self._refuse(404, {"X-Error-Code": "RepoNotFound"} if path.startswith("/api/models/") else {})

    def _faulty(self, name: str) -> bool:
        """Answer as the next fault of `name` says, where it has a status."""
        with self.state.lock:
            faults = self.state.faults[name]
            if not faults or not faults[0].status:
                return False
            fault = faults.pop(0)
        self._refuse(fault.status, fault.headers)
        return True

    def _file(self, hub: Hub, name: str) -> None:
        if name not in hub.files:
            return self._refuse(404, {"X-Error-Code": "EntryNotFound"})
        if self._faulty(name):
            return None
        with hub.lock:
            fault = hub.faults[name].pop(0) if hub.faults[name] else Fault()
        body = hub.files[name]
        first = int(self._asked.range.removeprefix("bytes=").rstrip("-") or 0)
        if first >= len(body) > 0:
            return self._refuse(416)
        self._asked.status = 206 if first else 200
        self.send_response(self._asked.status)
        self.send_header("Content-Length", str(len(body) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        self._send(bytes(255 - byte for byte in body[first:]) if fault.spoil else body[first:], fault)
        return None

    def _send(self, body: bytes, fault: Fault) -> None:
        end = min((n for n in (fault.cut_after, fault.stall_after, len(body)) if n >= 0), default=len(body))
        step = max(1, fault.bytes_per_second // 20) if fault.bytes_per_second else 65536
        for at in range(0, end, step):
            piece = body[at : min(at + step, end)]
            self.wfile.write(piece)
            self.wfile.flush()
            self._asked.sent += len(piece)
            if fault.bytes_per_second and self.state.over.wait(0.05):
                break
        if fault.stall_after >= 0:
            self.state.over.wait(30)
        if end < len(body):
            self.close_connection = True

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self._asked.status = 200
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        self._asked.status = status
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _info(hub: Hub) -> dict[str, Any]:
    return {
        "id": REPO, "sha": REVISION, "gated": "manual" if hub.gated else False, "private": False, "downloads": 1,
        "likes": 1, "tags": [], "cardData": {"license": "apache-2.0"},
        "siblings": [_sibling(name, body) for name, body in hub.files.items()]
        + [{"rfilename": name, "size": 3, "blobId": "0" * 40} for name in hub.names],
    }  # fmt: skip


def _sibling(name: str, body: bytes) -> dict[str, Any]:
    sibling: dict[str, Any] = {"rfilename": name, "size": len(body), "blobId": git_hash(body)}
    if name.endswith((".safetensors", ".bin")):
        sibling["lfs"] = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 135}
    return sibling


def _rows(hub: Hub) -> list[dict[str, Any]]:
    rows = [
        {"Path": name, "Name": name, "Type": "blob", "Size": len(body), "Sha256": hashlib.sha256(body).hexdigest()}
        for name, body in hub.files.items()
    ]
    return [*rows, {"Path": "figures", "Name": "figures", "Type": "tree", "Size": 0}]


def git_hash(body: bytes) -> str:
    """What git calls a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


def tensors(**shapes: tuple[int, ...]) -> bytes:
    """A safetensors file with bf16 tensors of these shapes."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2
        for length in shape:
            size *= length
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    head = json.dumps(header).encode()
    # bytes that repeat nowhere: what is put together wrongly has another hash
    body = hashlib.shake_128(head).digest(at)
    return struct.pack("<Q", len(head)) + head + body


def small_model(vocabulary: int = 20_000) -> dict[str, bytes]:
    """The files of a model as they are published: two shards, settings, and much that nobody needs."""
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": vocabulary, "tie_word_embeddings": True,
    }  # fmt: skip
    names = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    index = {"metadata": {}, "weight_map": {"embed": names[0], "rest": names[1]}}
    return {
        "README.md": b"# a model\n",
        "LICENSE": b"Apache License\n",
        ".gitattributes": b"*.safetensors filter=lfs\n",
        "config.json": json.dumps(config).encode(),
        "tokenizer.json": b"{}",
        "tokenizer_config.json": b"{}",
        "model.safetensors.index.json": json.dumps(index).encode(),
        names[0]: tensors(embed=(vocabulary, 32)),
        names[1]: tensors(rest=(30_000,)),
        "pytorch_model.bin": b"pickle" * 1000,
        "model.gguf": b"GGUF" * 1000,
        "consolidated.safetensors": tensors(embed=(vocabulary, 32)),
        "original/consolidated.00.pth": b"pickle",
        "onnx/model.onnx": b"onnx",
    }


def wait_until(true: Any, seconds: float = 20.0) -> None:
    """Wait until `true()` holds; fails after `seconds`."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.02)
