"""Who holds memory of a card: names as far as they are told, and which programs to close for more."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import programs
from core.gpu import Card, GpuProcess, cards, to_close
from core.programs import closable, is_desktop
from core.wording import card_notes, close_words, program_words
from tests.fake_nvml import GIB, FakeCard, FakeNvml, NVMLError_FunctionNotFound

Install = Callable[[FakeNvml], FakeNvml]

#: Numbers that no system gives to a process.
A, B, C, D = (5_000_000_000 + n for n in range(4))


def held(*programs: GpuProcess) -> Card:
    return Card(0, "x", 24 * GIB, 2 * GIB, processes=programs)


def test_processes_are_named_once_and_by_size(install: Install) -> None:
    card = FakeCard(
        processes=[(A, "/usr/bin/python3", 2 * GIB), (B, r"C:\Games\My Games\game.exe", 4 * GIB)],
        graphics=[(B, r"C:\Games\My Games\game.exe", None), (C, "Xorg", 2**64 - 1), (A, "/usr/bin/python3", 2 * GIB)],
    )
    install(FakeNvml(card))
    assert cards()[0].processes == (
        GpuProcess(B, "game.exe", 4 * GIB),
        GpuProcess(A, "python3", 2 * GIB),
        GpuProcess(C, "Xorg", None),
    )


def test_a_rewritten_command_line_is_no_name(install: Install) -> None:
    told = "/opt/google/chrome/chrome --type=gpu-process --metrics-dir=/home/me/.config/google-chrome"
    install(FakeNvml(FakeCard(graphics=[(A, told, 1)])))
    assert cards()[0].processes[0].name == "chrome"


def test_an_old_driver_lists_programs_too(install: Install) -> None:
    gone = NVMLError_FunctionNotFound("Function Not Found")
    old = {f"nvmlDeviceGet{kind}RunningProcesses_v3": gone for kind in ("Compute", "Graphics")}
    install(FakeNvml(FakeCard(processes=[(A, "a", 5)], graphics=[(B, "b", 3)], fails=dict(old))))
    assert [p.name for p in cards()[0].processes] == ["a", "b"]


def test_windows_keeps_the_memory_of_each_program_to_itself(install: Install) -> None:
    install(FakeNvml(FakeCard(graphics=[(A, r"C:\Windows\dwm.exe", None), (B, "game.exe", None)])))
    (card,) = cards()
    assert [p.used_bytes for p in card.processes] == [None, None]
    assert to_close(card, 1) == ()
    assert any("how much" in note for note in card_notes(card))


def test_a_name_that_nvml_keeps_is_asked_of_the_system(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_namespace", lambda: programs._FIRST_NAMESPACE)
    install(FakeNvml(FakeCard(processes=[(os.getpid(), "", 1)])))
    assert cards()[0].processes[0].name == psutil.Process().name()


def test_a_process_that_is_gone_has_no_name(install: Install) -> None:
    install(FakeNvml(FakeCard(processes=[(A, "", 1)])))
    (card,) = cards()
    assert card.processes == (GpuProcess(A, "", 1),)
    assert any("cannot be named" in note for note in card_notes(card))
    assert program_words(card.processes[0]) == f"Unnamed program ({A}): 0 MB"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pid namespaces are Linux's")
def test_in_a_container_a_number_may_be_a_strangers(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_namespace", lambda: "pid:[4026532000]")
    install(FakeNvml(FakeCard(processes=[(os.getpid(), "not the one that uses the card", GIB)])))
    assert cards()[0].processes == (GpuProcess(os.getpid(), "", GIB),)
    # who has the card's file open is the one
    monkeypatch.setattr(programs, "_CARD_FILES", ("/dev/null",))
    with Path(os.devnull).open():
        assert cards()[0].processes[0].name == "not the one that uses the card"


def test_the_fewest_programs_are_proposed() -> None:
    a, b, c = GpuProcess(A, "training", 10 * GIB), GpuProcess(B, "game", 3 * GIB), GpuProcess(C, "chrome", GIB)
    card = held(a, b, c)
    assert to_close(card, GIB) == (c,)
    assert to_close(card, 2 * GIB) == (b,)
    assert to_close(card, 4 * GIB) == (a,)
    assert to_close(card, 11 * GIB) == (a, c)
    assert to_close(card, 14 * GIB) == (a, b, c)
    assert to_close(card, 15 * GIB) == to_close(card, 0) == to_close(card, -5) == ()


@given(st.lists(st.integers(1, 50), max_size=7), st.integers(1, 200))
def test_no_smaller_choice_is_enough(sizes: list[int], wanted: int) -> None:
    card = held(*(GpuProcess(A + n, "p", size) for n, size in enumerate(sizes)))
    freed = [program.used_bytes or 0 for program in to_close(card, wanted)]
    assert freed == sorted(freed, reverse=True)
    if sum(sizes) < wanted:
        assert freed == []
    else:
        assert sum(freed) >= wanted
        assert sum(sorted(sizes, reverse=True)[: len(freed) - 1]) < wanted


@pytest.mark.parametrize(
    "name",
    ["Xorg", "gnome-shell", "kwin_wayland", "kwin_x11", "plasmashell", "Xwayland", "dwm.exe", "explorer.exe",
     "csrss.exe", "WindowServer", "gdm-x-session", "sddm-greeter", "nvidia-cuda-mps-server"],
)  # fmt: skip
def test_the_desktop_is_never_proposed(name: str) -> None:
    assert is_desktop(name)
    assert to_close(held(GpuProcess(A, name, GIB)), 1) == ()


@pytest.mark.parametrize("name", ["chrome", "blender", "python3", "steam.exe", "explore", "xorgle", "obs64.exe"])
def test_what_people_start_themselves_is(name: str) -> None:
    assert not is_desktop(name)
    assert len(to_close(held(GpuProcess(A, name, GIB)), 1)) == 1


def test_our_own_processes_and_unknown_ones_are_never_proposed() -> None:
    child = psutil.Popen([sys.executable, "-c", "input()"], stdin=-1)
    try:
        own = GpuProcess(os.getpid(), "python", GIB), GpuProcess(child.pid, "python", GIB)
        unknown = GpuProcess(A, "", GIB), GpuProcess(B, "game", None), GpuProcess(C, "idle", 0)
        other = GpuProcess(D, "game", 5)
        assert closable((*own, *unknown, other)) == (other,)
    finally:
        child.kill()
        child.wait()
        child.stdin.close()


def test_words_name_what_to_close() -> None:
    tabs = GpuProcess(A, "chrome", 10**9), GpuProcess(B, "chrome", 10**8)
    assert close_words((*tabs, GpuProcess(C, "game.exe", 10**9))) == "Close chrome, game.exe to free 2.1 GB."
    assert close_words(()) == ""
    assert program_words(GpuProcess(12, "game.exe", None)) == "game.exe (12)"
