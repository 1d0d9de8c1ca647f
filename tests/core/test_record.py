"""What a run writes down: whole lines, none lost between two writers, and folders that know their own files."""

import errno
import os
from pathlib import Path

import pytest

from core.events import Noted
from core.record import Record, Spoken, read_on
from core.seals import COMPLETE, is_sound, is_whole, seal
from core.wire import encode


def line(number: int) -> str:
    return encode(Noted(code="n", facts={"number": number}, time=float(number)))


def numbers(path: Path, offset: int = 0, most: int = 1 << 20) -> tuple[list[object], int]:
    events, end = read_on(path, offset, most)
    return [event.facts["number"] for event in events if isinstance(event, Noted)], end


def test_a_torn_line_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(line(1) + "\n" + line(2)[:20])
    record = Record(path)
    record.add(line(3))
    record.close()
    assert numbers(path)[0] == [1, 3]


def test_what_finds_no_room_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "events.jsonl", os.write
    record = Record(path)
    record.add(line(1))
    room = [30]

    def crowded(file: int, data: bytes) -> int:
        """A disk with room for 30 bytes more."""
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(file, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", crowded)
    record.add(line(2))
    record.add(line(3))
    assert numbers(path)[0] == [1]
    room[0] = 1 << 20
    record.add(line(4))
    record.close()
    assert numbers(path)[0] == [1, 2, 3, 4]


def test_it_is_read_on_where_one_left_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    record = Record(path)
    for number in range(100):
        record.add(line(number))
    found, offset = numbers(path, most=500)
    assert 1 < len(found) < 20
    while offset < path.stat().st_size:
        more, offset = numbers(path, offset, 500)
        found += more
    assert found == list(range(100))
    with path.open("a") as file:
        # half a line is nobody's yet
        file.write(line(100)[:15])
    assert numbers(path, offset) == ([], offset)
    with path.open("a") as file:
        file.write(line(100)[15:] + "\nno event\n")
    assert numbers(path, offset)[0] == [100]
    path.write_text(line(7) + "\n")
    assert numbers(path, offset) == ([], 0)


def test_who_takes_over_writes_what_the_other_did_not(tmp_path: Path) -> None:
    path, spoken = tmp_path / "events.jsonl", Spoken()
    for number in range(10):
        spoken.add(line(number))
    assert len(spoken.missing(path)) == 10
    # the other one wrote up to 6, and lines of its own
    path.write_text("".join(f"{line(number)}\n" for number in (0, 1, 2, 50, 3, 4, 5, 6, 51)) + line(7)[:9])
    assert spoken.missing(path) == [line(7), line(8), line(9)]


def test_a_seal_knows_every_byte(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint-3"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.bin", "inner/b.bin"):
        (folder / name).write_bytes(b"0123456789")
    assert not is_whole(folder)
    seal(folder, step=3)
    assert is_whole(folder) and is_sound(folder)
    (folder / "inner/b.bin").write_bytes(b"0123456780")
    assert is_whole(folder) and not is_sound(folder)
    (folder / "inner/b.bin").write_bytes(b"012345678")
    assert not is_whole(folder)
    seal(folder, step=3)
    (folder / "a.bin").unlink()
    assert not is_whole(folder) and not is_sound(folder)


@pytest.mark.parametrize("text", ["", "[1]", '{"files": {"a": 1}}', '{"files": [', '{"files": 7}'])
def test_a_seal_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / COMPLETE).write_text(text)
    assert not is_whole(tmp_path) and not is_sound(tmp_path)


def test_seals_of_older_versions_still_hold(tmp_path: Path) -> None:
    (tmp_path / COMPLETE).write_text('{"step": 4}')
    assert is_whole(tmp_path) and is_sound(tmp_path)
