"""Moving the runs' or the models' folder: nothing is lost, wherever it breaks off."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core import moving
from core.catalog import spec_of
from core.events import Stage
from core.hub import find_folder
from core.moving import STAGING, Move, clear, move, names_in, objection, size_of, undo, unfinished
from core.problems import Code, Trouble
from tests.tiny import make_tiny_model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "old 模型"
    for name in ("a", "b/deep", "c"):
        (folder / name).mkdir(parents=True)
    (folder / "a" / "weights.bin").write_bytes(os.urandom(3_000_000))
    (folder / "b" / "deep" / "plan.json").write_text("{}")
    (folder / "note.txt").write_text("hello")
    (folder / "link").symlink_to(folder / "a")
    return folder


@pytest.fixture(params=[True, False], ids=["one drive", "two drives"])
def drives(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_same_drive", lambda _source, _target: request.param)


def two_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_same_drive", lambda _source, _target: False)


def contents(folder: Path) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
    return found


def ignore(_stage: Stage) -> None:
    pass


def breaks_at(n: int, error: Callable[[], BaseException]) -> Callable[[Stage], None]:
    told = iter(range(n))

    def tell(_stage: Stage) -> None:
        if next(told, None) is None:
            raise error()

    return tell


@pytest.mark.usefixtures("drives")
def test_everything_arrives_and_the_old_folder_goes(source: Path, tmp_path: Path) -> None:
    before, target = contents(source), tmp_path / "new" / "models"
    stages: list[Stage] = []
    size = size_of(source)
    assert move("models", source, target, stages.append) == size > 3_000_000
    assert contents(target) == before
    assert (stages[-1].done, stages[-1].total) == (stages[-1].total, size)
    known = unfinished()
    assert known is not None and set(known.entries) == {"a", "b", "c", "link", "note.txt"}
    assert clear(known) == 0
    assert not source.exists() and unfinished() is None
    assert contents(target) == before


def test_a_plan_finds_its_model_in_the_folder_it_was_moved_to(tmp_path: Path) -> None:
    """Twice moved; a plan that was written in between, and one that names nothing of ours."""
    first, second, third = (tmp_path / name for name in ("a", "b 模型", "c"))
    make_tiny_model(first / "mine")
    for source, target in ((first, second), (second, third)):
        move("models", source, target, ignore)
        clear(Move("models", str(source), str(target), names_in(target)))
    for folder in (first, second, third):
        assert spec_of(str(folder / "mine")).id == str(third / "mine")
        assert find_folder(str(folder / "mine"), third) == third / "mine"
    with pytest.raises(Trouble) as missing:
        spec_of(str(first / "other"))
    assert missing.value.problem.facts["path"] == str(first / "other")
    # a model that is where the plan says is that one
    make_tiny_model(first / "mine")
    assert find_folder(str(first / "mine"), third) == first / "mine"


@pytest.mark.parametrize("told", range(0, 9, 2))
def test_breaking_off_anywhere_leaves_all_where_it_was(
    source: Path, tmp_path: Path, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_drives(monkeypatch)
    before, target = contents(source), tmp_path / "new"
    with pytest.raises(KeyboardInterrupt):
        move("models", source, target, breaks_at(told % 7, KeyboardInterrupt))
    assert contents(source) == before
    assert names_in(target) == () and unfinished() is None


@pytest.mark.usefixtures("drives")
@pytest.mark.parametrize("renamed", range(4))
def test_a_kill_while_names_are_given_is_put_back_or_gone_on_with(
    source: Path, tmp_path: Path, renamed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, target, real, count = contents(source), tmp_path / "new", Path.rename, iter(range(renamed))

    def dying(self: Path, other: Path) -> Path:
        if next(count, None) is None:
            raise RuntimeError("power cut")
        return real(self, other)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        # nobody tidies up after a power cut
        patch.setattr(moving, "undo", lambda _move: None)
        with pytest.raises(RuntimeError):
            move("models", source, target, ignore)
    known = unfinished()
    assert known is not None
    if renamed % 2:
        undo(known)
        assert contents(source) == before and names_in(target) == ()
    move("models", source, target, ignore)
    assert contents(target) == before


def test_a_copy_that_does_not_hold_what_was_written_is_noticed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_drives(monkeypatch)
    target, before = tmp_path / "new", contents(source)

    def spoil(stage: Stage) -> None:
        copy = target / STAGING / "a" / "weights.bin"
        if stage.stage == "comparing" and copy.stat().st_size == 3_000_000 and not spoiled:
            spoiled.append(True)
            with (target / STAGING / "b" / "deep" / "plan.json").open("r+b") as file:
                file.write(b"x")

    spoiled: list[bool] = []
    with pytest.raises(OSError, match="does not hold"):
        move("models", source, target, spoil)
    assert contents(source) == before and names_in(target) == ()


def test_what_was_written_meanwhile_is_not_deleted(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_drives(monkeypatch)
    target = tmp_path / "new"
    move("runs", source, target, ignore)
    (source / "note.txt").write_text("hello again")
    (source / "a" / "later.txt").write_text("new")
    known = unfinished()
    assert known is not None
    assert clear(known) == len("hello again") + len("new")
    assert contents(source) == {"a": "", "a/later.txt": b"new", "note.txt": b"hello again"}


def test_a_full_drive_is_known_before_a_byte_is_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_drives(monkeypatch)
    monkeypatch.setattr(moving, "free_bytes", lambda _path: 1_000_000)
    with pytest.raises(Trouble) as caught:
        move("models", source, tmp_path / "new", ignore)
    assert caught.value.problem.code is Code.DISK_FULL
    assert names_in(tmp_path / "new") == ()


def test_objections(source: Path, tmp_path: Path) -> None:
    other, new = tmp_path / "runs", tmp_path / "new"
    assert objection(source, source, other) == "same"
    assert objection(source, source / "inside", other) == objection(source, other / "x", other) == "inside"
    assert objection(source, tmp_path, other) == "inside"
    assert objection(source, new, other) == ""
    (new / "a").mkdir(parents=True)
    assert objection(source, new, other) == "taken"
    with pytest.raises(Trouble):
        move("models", source, new, ignore)
    assert "weights.bin" in names_in(source / "a")
