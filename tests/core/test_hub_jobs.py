"""A download in a process of its own: it pauses, stops, is killed and goes on, and no token is left anywhere."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.commands import GoOn, Pause
from core.events import Contacted, Event, Failed, Finished, Last, Paused, Stage, Stopped, WentOn
from core.hub import waiting_bytes
from core.hub.folder import looks_whole
from core.jobs.jobs import FetchJob
from core.jobs.models import ListJob, ReachJob
from core.jobs.process import JobProcess
from core.problems import Code, Trouble
from core.settings import Settings, models_root, save
from tests.hub_server import REPO, Fault, Hub, serving, small_model
from tests.patience import waits_for

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])
SHARD = "model-00001-of-00002.safetensors"
NEEDED = {
    "LICENSE", "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json", SHARD,
    "model-00002-of-00002.safetensors",
}  # fmt: skip
SLOW = Fault(bytes_per_second=500_000)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(small_model()) as hub:
        save(Settings(source="huggingface", endpoint=hub.address))
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.address)
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        # no keyring of whoever runs the tests
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield hub


def run(job: object, hear: Callable[[JobProcess, Event], None] = lambda process, event: None) -> list[Event]:
    process = JobProcess(job, grace=5)
    process.start()
    events: list[Event] = []
    for event in process.events():
        events.append(event)
        hear(process, event)
    assert isinstance(events[-1], Last)
    return events


def on_the_way(event: Event) -> bool:
    return isinstance(event, Stage) and event.total > 0 and event.done > 300_000


def nothing_comes(hub: Hub) -> bool:
    before = hub.sent(SHARD)
    time.sleep(0.7)
    return hub.sent(SHARD) == before


def root() -> Path:
    return models_root(Settings())


def test_a_list_and_the_sources_are_jobs_too(hub: Hub) -> None:
    last = run(ListJob(REPO))[-1]
    assert isinstance(last, Finished), last
    assert last.result["bytes"] == sum(file["bytes"] for file in last.result["listing"]["files"]) > 1_000_000
    assert last.result["facts"]["hidden_size"] == 32
    last = run(ReachJob())[-1]
    assert isinstance(last, Finished), last
    found = {one["name"]: one for one in last.result["reach"]}
    assert all(one["milliseconds"] > 0 for one in found.values()) and len(found) == 3


def test_a_pause_lets_the_line_go_and_a_stop_keeps_what_is_here(hub: Hub) -> None:
    hub.faults[SHARD] = [SLOW, SLOW]
    seen: dict[str, int] = {}

    def hear(process: JobProcess, event: Event) -> None:
        if on_the_way(event) and "asked" not in seen:
            seen["asked"] = event.done
            process.send(Pause())
        elif isinstance(event, Paused):
            # what was on its way may still arrive; after that nothing does
            waits_for(lambda: nothing_comes(hub), "silence on the line")
            seen["quiet"] = hub.sent(SHARD)
            process.send(GoOn())
        elif isinstance(event, WentOn):
            process.stop()

    events = run(FetchJob(REPO), hear)
    assert 300_000 < seen["quiet"] < len(small_model()[SHARD])
    assert isinstance(events[-1], Stopped)
    assert waiting_bytes(REPO, root()) > 300_000
    assert not (root() / "maker--small-model").exists()
    last = run(FetchJob(REPO))[-1]
    assert isinstance(last, Finished), last
    assert looks_whole(Path(last.result["folder"]))


def test_a_killed_process_leaves_nothing_that_looks_whole_and_the_next_goes_on(hub: Hub) -> None:
    hub.faults[SHARD] = [SLOW]

    def hear(process: JobProcess, event: Event) -> None:
        if on_the_way(event) and process.pid:
            os.kill(process.pid, signal.SIGKILL)

    assert isinstance(run(FetchJob(REPO), hear)[-1], Failed)
    assert not (root() / "maker--small-model").exists()
    first: list[Event] = []
    last = run(FetchJob(REPO), lambda process, event: first.append(event) if on_the_way(event) else None)[-1]
    assert isinstance(last, Finished), last
    assert looks_whole(Path(last.result["folder"]))
    assert hub.sent(SHARD) < len(hub.files[SHARD]) + 400_000
    assert all(hub.sent(name) == len(hub.files[name]) for name in ("config.json", "model-00002-of-00002.safetensors"))


def test_no_token_is_left_anywhere(hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "hf_VerySecretIndeed"
    hub.gated, hub.token = True, token
    log = home / "fetch.log"
    refused = run(FetchJob(REPO, token="hf_other"))[-1]
    assert isinstance(refused, Failed) and refused.problem.code is Code.GATED_MODEL
    hub.faults["config.json"] = [Fault(503), Fault(cut_after=5)]
    process = JobProcess(FetchJob(REPO, token=token), log=log)
    process.start()
    events = list(process.events())
    assert isinstance(events[-1], Finished), events[-1]
    assert log.exists()
    assert token not in repr(events) + repr(FetchJob(REPO, token=token))
    assert not any(token in path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file())


def test_offline_is_said_before_anything_is_asked(hub: Hub) -> None:
    save(Settings(source="huggingface", offline=True))
    last = run(FetchJob(REPO))[-1]
    assert isinstance(last, Failed) and last.problem.code is Code.OFFLINE
    assert hub.asked == []


def test_a_proxy_is_used_and_the_host_behind_it_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    # a name that leads nowhere, by the rules of names (RFC 6761): only the proxy can know it
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    save(Settings(source="huggingface", proxy=hub.address))
    hub.cdn = "http://files.invalid"
    events = run(FetchJob(REPO))
    assert isinstance(events[-1], Finished), events[-1]
    assert [event.host for event in events if isinstance(event, Contacted)] == ["hub.invalid", "files.invalid"]
    assert {one.host for one in hub.asked} == {"hub.invalid", "files.invalid"}


def test_the_commands_list_fetch_show_and_remove(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from core.cli import models

    def answer(code: int, expected: int = 0) -> dict[str, Any]:
        assert code == expected
        return dict(json.loads(capsys.readouterr().out))

    told = answer(models.fetch(REPO, look=True, json=True))
    assert told["bytes"] == sum(len(body) for name, body in hub.files.items() if name in NEEDED)
    assert len(answer(models.sources(json=True))["reach"]) == 3
    folder = answer(models.fetch(REPO, json=True))["folder"]
    (shown,) = answer(models.models(json=True))["models"]
    assert (shown["model"], shown["folder"], shown["ours"], shown["licence"]) == (REPO, folder, True, "apache-2.0")
    assert answer(models.take_off(REPO, json=True))["freed_bytes"] == shown["bytes"] > 1_000_000
    assert answer(models.models(json=True))["models"] == []
    hub.gated = True
    refused = answer(models.fetch(REPO, json=True), 1)
    assert refused["problem"] == "gated_model" and f"{hub.address}/{REPO}" in str(refused["advice"])
    with pytest.raises(Trouble):
        models.take_off(REPO)
    with pytest.raises(Trouble):
        models.fetch("../../etc")
