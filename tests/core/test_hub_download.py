"""Downloads against a hub on the loopback interface, by the real client: whole, broken off, refused, and gone on."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.events import Stage
from core.hub import fetch, find_folder, listing, remove, waiting_bytes
from core.hub.folder import looks_whole
from core.hub.network import CHUNK
from core.hub.origin_mark import origin_of
from core.hub.places import addresses, origins, reach
from core.jobs.talk import StopAsked
from core.problems import Code, Trouble
from core.settings import Settings
from tests.hub_server import REPO, REVISION, Fault, Hub, serving, small_model

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])

SHARD, OTHER = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
NEEDED = {
    "LICENSE", "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json", SHARD, OTHER,
}  # fmt: skip
HUB, SCOPE = Settings(source="huggingface"), Settings(source="modelscope")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import close_session, constants

    with serving(small_model()) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.address)
        for name in ("HF_HUB_OFFLINE", "SOLOTUNE_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        # put back after the test
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 20)
        monkeypatch.setattr("core.hub.answers.FIRST_WAIT", 0.01)
        # huggingface_hub waits between its own tries
        monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
        yield hub
        close_session()


def get(
    root: Path, tell: Callable[[Stage], None] = lambda stage: None, settings: Settings = HUB, token: str = ""
) -> Path:
    return fetch(REPO, root, tell, lambda gguf, folder: None, settings=settings, token=token)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"solotune-origin.json"}


def refused(root: Path, settings: Settings = HUB, token: str = "") -> Trouble:
    with pytest.raises(Trouble) as caught:
        get(root, settings=settings, token=token)
    assert not looks_whole(root / "maker--small-model")
    return caught.value


@pytest.mark.parametrize("settings", [HUB, SCOPE], ids=["huggingface", "modelscope"])
def test_what_is_needed_arrives_and_nothing_else(hub: Hub, tmp_path: Path, settings: Settings) -> None:
    told = listing(REPO, settings)
    assert {file.path for file in told.files} == NEEDED
    assert told.bytes == sum(len(hub.files[name]) for name in NEEDED)
    stages: list[Stage] = []
    root = tmp_path / "我的 模型"
    folder = get(root, stages.append, settings)
    assert names(folder) == NEEDED
    assert all((folder / name).read_bytes() == hub.files[name] for name in NEEDED)
    assert (stages[-1].done, stages[-1].total, stages[-1].seconds) == (told.bytes, told.bytes, 0.0)
    assert (stages[-1].files_done, stages[-1].files) == (len(NEEDED), len(NEEDED))
    assert list(root.iterdir()) == [folder]
    assert all(hub.sent(name) == len(hub.files[name]) for name in NEEDED)
    assert find_folder(REPO, root) == folder
    before = len(hub.asked)
    assert get(root, settings=settings) == folder
    assert len(hub.asked) == before


def test_the_folder_says_where_it_is_from(hub: Hub, tmp_path: Path) -> None:
    origin = origin_of(get(tmp_path))
    assert (origin["model"], origin["revision"], origin["licence"]) == (REPO, REVISION, "apache-2.0")


@pytest.mark.parametrize("settings", [HUB, SCOPE], ids=["huggingface", "modelscope"])
def test_a_line_that_breaks_goes_on_where_it_broke(hub: Hub, tmp_path: Path, settings: Settings) -> None:
    hub.faults[SHARD] = [Fault(cut_after=300_000), Fault(cut_after=200_000), Fault(cut_after=0)]
    folder = get(tmp_path, settings=settings)
    assert (folder / SHARD).read_bytes() == hub.files[SHARD]
    assert hub.times(SHARD) == 4
    # of each broken line the last piece is lost, which was not yet written
    assert hub.sent(SHARD) <= len(hub.files[SHARD]) + 2 * CHUNK
    assert hub.sent(OTHER) == len(hub.files[OTHER])


def test_a_stalled_line_is_left_and_asked_again(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
    hub.faults[SHARD] = [Fault(stall_after=400_000)]
    assert looks_whole(get(tmp_path))
    # from the beginning it would be 400,000 more; a slow machine may take the line for stalled more than once
    assert hub.sent(SHARD) < len(hub.files[SHARD]) + 5 * CHUNK


def test_a_slow_line_is_waited_for_and_says_how_long(hub: Hub, tmp_path: Path) -> None:
    hub.faults[SHARD] = [Fault(bytes_per_second=1_000_000)]
    stages: list[Stage] = []
    assert looks_whole(get(tmp_path, stages.append))
    on_the_way = [stage for stage in stages if 300_000 < stage.done < stage.total and stage.pace]
    assert on_the_way
    assert all(stage.seconds is not None and 0 < stage.seconds < 60 for stage in on_the_way)


def test_a_stopped_download_goes_on_without_what_is_here(hub: Hub, tmp_path: Path) -> None:
    hub.faults[SHARD] = [Fault(bytes_per_second=600_000)]

    def stop(stage: Stage) -> None:
        if stage.done > 400_000:
            raise StopAsked

    with pytest.raises(StopAsked):
        get(tmp_path, stop)
    target = tmp_path / "maker--small-model"
    assert not target.exists()
    kept = waiting_bytes(REPO, tmp_path)
    assert kept > 400_000
    before = {name: hub.sent(name) for name in NEEDED}
    first: list[Stage] = []
    get(tmp_path, lambda stage: first.append(stage) if stage.total else None)
    assert first[0].done > 300_000
    assert hub.sent(OTHER) == len(hub.files[OTHER]) == before[OTHER]
    # what the first try had not written is at most what was on its way
    assert hub.sent(SHARD) < len(hub.files[SHARD]) + 4 * CHUNK
    assert looks_whole(target)


def test_another_version_is_not_mixed_with_half_of_the_old_one(hub: Hub, tmp_path: Path) -> None:
    hub.faults[SHARD] = [Fault(cut_after=500_000), *[Fault(status=500)] * 20]
    refused(tmp_path)
    hub.files = small_model(vocabulary=20_001) | {"LICENSE": b"another one\n"}
    hub.faults.clear()
    folder = get(tmp_path)
    assert all((folder / name).read_bytes() == hub.files[name] for name in NEEDED)


@pytest.mark.parametrize("settings", [HUB, SCOPE], ids=["huggingface", "modelscope"])
def test_wrong_bytes_are_thrown_away_and_fetched_once_more(hub: Hub, tmp_path: Path, settings: Settings) -> None:
    hub.faults[SHARD] = [Fault(spoil=True)]
    hub.faults["tokenizer.json"] = [Fault(spoil=True)]
    assert looks_whole(get(tmp_path, settings=settings))


def test_bytes_that_stay_wrong_are_never_used(hub: Hub, tmp_path: Path) -> None:
    hub.faults[OTHER] = [Fault(spoil=True)] * 2
    problem = refused(tmp_path).problem
    assert (problem.code, problem.facts["what"]) == (Code.DOWNLOAD_BROKEN, OTHER)
    assert looks_whole(get(tmp_path))
    assert hub.times(OTHER) == 3


@pytest.mark.parametrize("fault", [Fault(429, {"Retry-After": "0"}), Fault(503), Fault(500)], ids=["429", "503", "500"])
@pytest.mark.parametrize("what", ["listing", SHARD, "config.json"])
def test_a_busy_server_is_asked_again(hub: Hub, tmp_path: Path, fault: Fault, what: str) -> None:
    hub.faults[what] = [fault, fault]
    assert looks_whole(get(tmp_path))


@pytest.mark.parametrize("what", ["listing", SHARD])
def test_a_server_that_stays_busy_says_so(hub: Hub, tmp_path: Path, what: str) -> None:
    hub.faults[what] = [Fault(503)] * 99
    problem = refused(tmp_path).problem
    assert (problem.code, problem.facts["status"]) == (Code.SOURCE_BUSY, 503)


def test_a_gated_model_names_its_licence_page_and_opens_with_the_token(hub: Hub, tmp_path: Path) -> None:
    hub.gated, hub.token = True, "hf_right"
    told = listing(REPO, HUB)
    assert told.gated
    problem = refused(tmp_path).problem
    assert (problem.code, problem.facts["status"]) == (Code.GATED_MODEL, 401)
    assert problem.facts["licence_page"] == f"{hub.address}/{REPO}"
    problem = refused(tmp_path, token="hf_other").problem
    assert (problem.code, problem.facts["status"]) == (Code.GATED_MODEL, 403)
    assert hub.sent(SHARD) == 0
    assert looks_whole(get(tmp_path, token="hf_right"))
    # the server that large files lie on is another one: it gets no token
    assert {one.authorization for one in hub.asked if one.path.startswith("/cdn/")} == {""}


def test_a_token_that_nobody_knows_is_refused_as_such(hub: Hub, tmp_path: Path) -> None:
    hub.gated, hub.token, hub.code = True, "hf_right", ""
    hub.faults["listing"] = [Fault(401, {"X-Error-Message": "Invalid credentials in Authorization header"})]
    assert refused(tmp_path, token="hf_old").problem.code is Code.TOKEN_REFUSED


@pytest.mark.parametrize("settings", [HUB, SCOPE], ids=["huggingface", "modelscope"])
def test_a_model_that_is_not_there_is_unknown(hub: Hub, tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(Trouble) as caught:
        fetch("maker/nothing", tmp_path, lambda stage: None, lambda gguf, folder: None, settings=settings)
    assert caught.value.problem.code is Code.MODEL_UNKNOWN
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_listed_and_not_there_ends_it(hub: Hub, tmp_path: Path) -> None:
    hub.faults[OTHER] = [Fault(404)] * 9
    assert refused(tmp_path).problem.code in (Code.MODEL_UNKNOWN, Code.DOWNLOAD_BROKEN)


def test_nobody_there_is_no_network(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert refused(tmp_path).problem.code is Code.NO_NETWORK


def test_room_is_looked_for_before_anything_is_fetched(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.hub.download.free_bytes", lambda path: 1000)
    problem = refused(tmp_path).problem
    assert problem.code is Code.DISK_FULL
    assert problem.facts["needed_bytes"] > listing(REPO, HUB).bytes
    assert hub.sent(SHARD) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_stops_it_and_keeps_what_is_here(hub: Hub, tmp_path: Path) -> None:
    from core.hub.parts import Item, parts_folder

    target = tmp_path / "maker--small-model"
    parts_folder(target).mkdir()
    shard = next(file for file in listing(REPO, HUB).files if file.path == SHARD)
    part = Item(shard, parts_folder(target) / SHARD).part
    part.symlink_to("/dev/full")
    with pytest.raises((Trouble, OSError)) as caught:
        get(tmp_path)
    from core.problems import diagnose

    assert diagnose(caught.value).code is Code.DISK_FULL
    part.unlink(missing_ok=True)
    assert looks_whole(get(tmp_path))


def test_names_from_outside_stay_inside(hub: Hub, tmp_path: Path) -> None:
    root = tmp_path / "models"
    hub.names = [
        "../evil.safetensors", "/etc/evil.safetensors", "..\\evil.json", "C:evil.safetensors", "sub/config.json",
        "CON.safetensors", "model\u202e.safetensors", ".hidden.safetensors", "../../tokenizer.json", "a\nb.safetensors",
    ]  # fmt: skip
    assert names(get(root)) == NEEDED
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_model_with_pickles_only_is_refused_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.files = {name: body for name, body in hub.files.items() if "safetensors" not in name}
    assert refused(tmp_path).problem.code is Code.MODEL_PICKLE
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"auto_map": {"AutoModel": "evil.Model"}}, Code.MODEL_CUSTOM_CODE),
        ({"quantization_config": {"bits": 4}}, Code.MODEL_UNSUPPORTED),
        ({"architectures": ["BertForMaskedLM"]}, Code.MODEL_UNSUPPORTED),
    ],
)
def test_what_cannot_be_trained_is_said_before_its_weights_arrive(
    hub: Hub, tmp_path: Path, facts: dict[str, object], code: Code
) -> None:
    hub.files["config.json"] = json.dumps(json.loads(hub.files["config.json"]) | facts).encode()
    hub.faults[SHARD] = hub.faults[OTHER] = [Fault(bytes_per_second=60_000)] * 9
    assert refused(tmp_path).problem.code is code
    assert hub.sent(SHARD) < len(hub.files[SHARD]) // 2
    asked = hub.times(SHARD)
    assert refused(tmp_path).problem.code is code
    assert hub.times(SHARD) == asked


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        ("tokenizer.json", "tokenizer.json"),
        ("config.json", "config.json"),
        ("model.safetensors.index.json", "model.safetensors"),
        (OTHER, OTHER),
    ],
)
def test_what_could_never_be_whole_is_not_fetched(hub: Hub, tmp_path: Path, gone: str, missing: str) -> None:
    """Without its index nobody can open shards; of a shard that is only in the index the index itself tells."""
    del hub.files[gone]
    hub.files = {name: body for name, body in hub.files.items() if not name.endswith((".bin", ".pth"))}
    hub.faults[SHARD] = [Fault(bytes_per_second=60_000)] * 9
    problem = refused(tmp_path).problem
    assert (problem.code, problem.facts["missing"]) == (Code.MODEL_INCOMPLETE, missing)
    assert hub.sent(SHARD) < len(hub.files[SHARD]) // 2


def test_two_at_once_do_not_spoil_it_for_each_other(hub: Hub, tmp_path: Path) -> None:
    codes: list[Code] = []

    def another(stage: Stage) -> None:
        if stage.total and not codes:
            with pytest.raises(Trouble) as caught:
                get(tmp_path)
            codes.append(caught.value.problem.code)

    assert looks_whole(get(tmp_path, another))
    assert codes == [Code.DOWNLOAD_BUSY]


def test_what_is_not_ours_is_neither_overwritten_nor_removed(hub: Hub, tmp_path: Path) -> None:
    theirs = tmp_path / "maker--small-model"
    theirs.mkdir()
    (theirs / "diary.txt").write_text("mine")
    assert refused(tmp_path).problem.code is Code.FOLDER_NOT_EMPTY
    for model in (REPO, str(theirs), str(tmp_path), "/", "..", "maker/../.."):
        with pytest.raises(Trouble):
            remove(model, tmp_path)
    assert (theirs / "diary.txt").read_text() == "mine"


def test_a_removed_model_frees_what_it_took(hub: Hub, tmp_path: Path) -> None:
    folder = get(tmp_path)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert remove(REPO, tmp_path) == size > 1_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_download_is_mended_without_fetching_the_rest(hub: Hub, tmp_path: Path) -> None:
    folder = get(tmp_path)
    (folder / OTHER).write_bytes((folder / OTHER).read_bytes()[:100])
    assert not looks_whole(folder)
    assert looks_whole(get(tmp_path))
    assert (hub.times(SHARD), hub.times(OTHER)) == (1, 2)


@pytest.mark.parametrize("layout", ["hub", "scope", "old scope"])
def test_what_another_program_has_fetched_is_used_where_it_lies(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    folder = get(tmp_path / "here")
    cache = tmp_path / "cache"
    monkeypatch.setenv("HF_HUB_CACHE" if layout == "hub" else "MODELSCOPE_CACHE", str(cache))
    if layout == "hub":
        blobs, there = (cache / "models--maker--small-model" / part for part in ("blobs", f"snapshots/{REVISION}"))
        blobs.mkdir(parents=True)
        there.mkdir(parents=True)
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(blobs / str(number))
            (there / path.name).symlink_to(os.path.relpath(blobs / str(number), there))
    else:
        there = cache / ("models/maker--small-model/snapshots/master" if layout == "scope" else "hub/maker/small-model")
        there.parent.mkdir(parents=True)
        folder.rename(there)
    before = len(hub.asked)
    assert find_folder(REPO, tmp_path / "new") == there
    assert get(tmp_path / "new") == there
    assert len(hub.asked) == before
    with pytest.raises(Trouble):
        remove(REPO, tmp_path / "new")
    assert looks_whole(there)


def test_auto_takes_the_fastest_that_answers(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    auto = Settings(endpoint=hub.address)
    found = {one.name: one for one in reach(auto)}
    assert found["huggingface"].milliseconds is None and found["huggingface"].problem.code is Code.NO_NETWORK
    assert 0 < found["mirror"].milliseconds < 5000 and 0 < found["modelscope"].milliseconds < 5000
    assert {origin.name for origin in origins(REPO, auto)} == {"mirror", "modelscope"}
    assert looks_whole(get(tmp_path, settings=auto))


def test_a_mirror_gets_no_token_that_was_not_given_for_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    monkeypatch.delenv("HF_ENDPOINT")
    listing(REPO, Settings(source="mirror", endpoint=hub.address))
    assert {one.authorization for one in hub.asked} == {""}
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    listing(REPO, HUB)
    assert hub.asked[-1].authorization == "Bearer hf_mine"
    assert addresses(replace(HUB, endpoint=""))["mirror"].startswith("https://")


def test_offline_asks_nobody(hub: Hub, tmp_path: Path) -> None:
    for ask in (
        lambda: get(tmp_path, settings=replace(HUB, offline=True)),
        lambda: listing(REPO, replace(HUB, offline=True)),
        lambda: reach(Settings(offline=True)),
    ):
        with pytest.raises(Trouble) as caught:
            ask()
        assert caught.value.problem.code is Code.OFFLINE
    assert hub.asked == []
