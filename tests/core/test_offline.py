"""Offline means offline: from the data to a merged model not one socket of a network is made, by any process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.hub.network import OfflineError
from core.settings import Settings, save

#: Every Python process reads this first. AF_UNIX is no network: on Linux it leads to the session bus of the desktop,
#: where the computer is asked not to fall asleep.
WITNESS = """
import os, sys

def hears(event, arguments):
    if not event.startswith("socket."):
        return
    if event == "socket.__new__" and arguments[1] == 1:
        return
    if event == "socket.connect" and getattr(arguments[0], "family", 0) == 1:
        return
    if event in ("socket.gethostname", "socket.sethostname"):
        return
    with open(os.environ["WITNESS"], "a") as file:
        file.write(f"{event} {arguments!r} {sys.argv}\\n")

sys.addaudithook(hears)
with open(os.environ["WITNESS"] + ".seen", "a") as file:
    file.write(f"{os.getpid()}\\n")
"""


class Witness:
    """Runs commands of the app and knows of every socket that they and their processes made."""

    def __init__(self, folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(WITNESS)
        self._file = folder / "sockets.txt"
        root = str(Path(__file__).parents[2])
        self._environment = os.environ | {
            "PYTHONPATH": os.pathsep.join((str(folder), root)), "WITNESS": str(self._file), "HF_HUB_OFFLINE": "",
            "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
        }  # fmt: skip

    def answers(self, *words: object) -> dict[str, Any]:
        done = self.runs(*words)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def runs(self, *words: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "core", *map(str, words), "--json"],
            capture_output=True, text=True, encoding="utf-8", timeout=120, check=False, env=self._environment,
        )  # fmt: skip

    def python(self, script: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True,
            env=self._environment,
        ).stdout  # fmt: skip

    @property
    def sockets(self) -> str:
        return self._file.read_text() if self._file.exists() else ""

    @property
    def processes(self) -> int:
        return len(self._file.with_name("sockets.txt.seen").read_text().splitlines())


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    folder = tmp_path / "witness"
    folder.mkdir()
    return Witness(folder)


def test_the_witness_sees_a_socket(witness: Witness) -> None:
    witness.python("import socket; socket.socket().close()")
    assert "socket.__new__" in witness.sockets


def test_the_whole_way_needs_no_network(witness: Witness, tmp_path: Path, tiny_base: Path) -> None:
    save(Settings(offline=True))
    rows = tmp_path / "rows.jsonl"
    pairs = ({"question": f"What is {i}?", "answer": f"It is {i}."} for i in range(40))
    rows.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    assert witness.answers("check", rows, "--model", tiny_base)["usable"] == 40
    plan = tmp_path / "plan.json"
    told = witness.answers("plan", rows, "--model", tiny_base, "-o", plan)
    plan.write_text(json.dumps(told | {"steps": 6, "batch": 2, "accumulation": 1, "evaluate_every": 1000}))
    run = witness.answers("train", plan)["run"]
    assert witness.answers("chat", run, "--say", "What is 3?")["answers"]
    assert witness.answers("merge", run, "-o", tmp_path / "merged")["folder"]
    assert witness.processes >= 9
    assert witness.sockets == ""


def test_a_fetch_is_refused_with_a_sentence(witness: Witness) -> None:
    save(Settings(offline=True))
    for model in ("Qwen/Qwen2.5-0.5B-Instruct", "smollm2-135m-instruct", "nobody/nothing"):
        refused = witness.runs("fetch", model)
        assert refused.returncode == 1
        told = json.loads(refused.stdout)
        assert (told["problem"], told["title"]) == ("offline", "SoloTune is set to stay offline.")
    assert witness.sockets == ""


GUARDED = """
import socket, sys
from core.hub import network
from core.settings import Settings
told = []
network.prepare(Settings())
network.tell_hosts(told.append)
socket.getaddrinfo("192.0.2.7", 80)
socket.getaddrinfo("127.0.0.1", 80)
network.set_offline(Settings(offline=True))
refused = 0
for ask in (
    lambda: socket.getaddrinfo("192.0.2.8", 80),
    lambda: socket.create_connection(("192.0.2.8", 80), timeout=1),
    lambda: socket.socket().connect(("192.0.2.8", 80)),
    lambda: socket.gethostbyname("hub.invalid"),
    lambda: __import__("urllib.request").request.urlopen("http://192.0.2.8/", timeout=1),
):
    try:
        ask()
    except OSError as error:
        refused += "offline" in str(error)
import os
print(refused, told, network.destinations(), os.environ["HF_HUB_OFFLINE"], os.environ["WANDB_MODE"])
"""


def test_whoever_asks_all_the_same_gets_an_error(witness: Witness) -> None:
    assert witness.python(GUARDED).strip() == "5 ['192.0.2.7'] ('192.0.2.7',) 1 offline"
    assert issubclass(OfflineError, OSError)
