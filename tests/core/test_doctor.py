"""The doctor's findings from faked readings, good and bad, for every row; and that it reads this computer at all."""

import json
import os
import re
import socket
import ssl
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from core.cli import run
from core.codec import from_plain, to_plain
from core.doctor import Examination, Readings, doctor_for, judge
from core.doctor.judge_card import kernels_for
from core.doctor.packages import read_packages
from core.doctor.read import readers
from core.doctor.readings import (
    Cards,
    Clock,
    Keyring,
    Memory,
    Network,
    Packages,
    Place,
    Power,
    Python,
    Reach,
    Screen,
    System,
)
from core.doctor.repair import repair, start_repair
from core.doctor.screen import debian_name, install_command
from core.events import Finished
from core.findings import Check, Diagnosed, Finding, FindingCode, Fix, Level, Probed, worst
from core.gpu import Card
from core.i18n import set_language
from core.problems import Code, Problem
from core.programs import GpuProcess
from core.settings import Settings
from core.wire import decode_event, encode
from core.wording.doctor import check_words, finding_level_words, finding_words, fix_label, verdict_words
from core.wording.doctor_report import report, row
from tests.readings import CU126, CU130, GB, NOW, RIGHT, torch_facts

RTX5090 = Card(0, "NVIDIA GeForce RTX 5090", 34 * GB, 33 * GB, (12, 0), "580.65", "13.0")
RTX4090 = replace(RTX5090, name="NVIDIA GeForce RTX 4090", capability=(8, 9), total_bytes=25 * GB, free_bytes=24 * GB)
OLD_DRIVER = replace(RTX4090, driver="525.60", cuda="12.0")
BUSY = replace(
    RTX4090, free_bytes=15 * GB, processes=(GpuProcess(4242, "blender", 9 * GB), GpuProcess(7, "Xorg", 100_000_000))
)
CUDA = torch_facts(RTX5090)
UNSEEN = CUDA | {"available": False, "devices": []}
CPU = UNSEEN | {"version": "2.13.0+cpu", "cuda": "", "architectures": []}


def torch(facts: dict[str, Any], *cards: Card, outcome: str = "done") -> Readings:
    return Readings(
        cards=Cards(cards, "" if cards else "no_gpu"), probes=(Probed(name="torch", facts=facts, outcome=outcome),)
    )


def trial(name: str, outcome: str = "done", **facts: Any) -> Readings:
    told = RIGHT.get(name, {}) | facts if outcome == "done" else facts
    return Readings(probes=(Probed(name=name, device="NVIDIA GeForce RTX 5090", outcome=outcome, facts=told),))


def place(name: str = "runs", free: int = 100 * GB, problem: str = "") -> Readings:
    return Readings(places=(Place(name, "/data/runs", free, 500 * GB, problem),))


def memory(total: float, free: float, swap: float, platform: str = "linux") -> Readings:
    return Readings(memory=Memory(int(total * GB), int(free * GB), int(swap * GB), platform))


def network(*sources: Reach) -> Readings:
    return Readings(network=Network(sources=sources))


def clock(off: float = 0.0, passed: float = NOW - 86_400) -> Readings:
    told = (Reach("huggingface", "https://a", 0.1, date=NOW, asked_at=NOW + off),)
    return Readings(clock=Clock(NOW + off, passed), network=Network(sources=told))


GONE = Reach("huggingface", "https://a", problem="timed out")
UNTRUSTED = Reach("huggingface", "https://a", certificate="certificate is not yet valid")
HERE = Reach("modelscope", "https://b", 0.213)

#: check, readings, the code that must come of them, and words that a person must find.
CASES: list[tuple[Check, Readings, str, tuple[str, ...]]] = [
    (Check.PYTHON, Readings(python=Python("3.12.4", 64)), "python_good", ("3.12.4",)),
    (Check.PYTHON, Readings(python=Python("3.12.4", 32)), "python_32bit", ("32", "64")),
    (Check.PYTHON, Readings(python=Python("3.10.14", 64)), "python_unsupported", ("3.10.14", "3.13")),
    (Check.PYTHON, Readings(python=Python("3.14.0", 64)), "python_unsupported", ("3.14.0",)),
    (Check.PACKAGES, Readings(packages=Packages(79)), "packages_good", ("79",)),
    (Check.PACKAGES, Readings(packages=Packages(78, missing=("peft",))), "packages_missing", ("1 package is", "peft")),
    (Check.PACKAGES, Readings(packages=Packages(77, incomplete=("torch", "numpy"))), "packages_incomplete",
     ("2 packages are", "torch, numpy")),
    (Check.PACKAGES, Readings(packages=Packages(78, differ=("peft 0.19 (0.21.2)",))), "packages_differ", ("0.21.2",)),
    (Check.WSL, Readings(system=System("linux", wsl=True)), "wsl_found", (".wslconfig",)),
    (Check.CARD, Readings(cards=Cards((RTX5090,))), "card_good", ("RTX 5090", "580.65", "13.0", "12.0", "34.0 GB")),
    (Check.CARD, Readings(cards=Cards(problem="no_gpu")), "card_none", ("driver may be missing",)),
    (Check.CARD, Readings(cards=Cards(problem="driver", text="Unknown")), "card_driver", ("newest", "Unknown")),
    (Check.CARD, Readings(cards=Cards(problem="driver_mismatch")), "card_driver_mismatch", ("Restart",)),
    (Check.CARD, Readings(cards=Cards(problem="driver_permission")), "card_driver_permission", ("--gpus",)),
    (Check.CARD, Readings(cards=Cards(problem="card_split")), "card_split", ("MIG",)),
    (Check.CARD, Readings(cards=Cards(problem="gpu_lost")), "card_lost", ("Restart",)),
    (Check.CARD_ROOM, Readings(cards=Cards((RTX4090,))), "card_room_good", ("24.0 GB", "RTX 4090")),
    (Check.CARD_ROOM, Readings(cards=Cards((BUSY,))), "card_busy", ("10.0 GB", "blender", "15.0 GB")),
    (Check.TORCH, torch(CUDA, RTX5090), "torch_good", ("2.13.0+cu130", "13.0")),
    (Check.TORCH, torch(CPU), "torch_processor", ("processor",)),
    (Check.TORCH, torch(CPU, RTX4090), "torch_cpu_build", ("without CUDA", "RTX 4090", "Repair")),
    (Check.TORCH, torch(CUDA | {"architectures": CU126, "cuda": "12.6"}, RTX5090), "torch_no_kernels",
     ("RTX 5090", "12.0", "12.6", "Repair")),
    (Check.TORCH, torch({"error": "OSError", "text": "c10.dll"}, outcome="failed"), "torch_broken", ("c10.dll",)),
    (Check.TORCH, torch(UNSEEN, OLD_DRIVER), "driver_old", ("525.60", "12.0", "13.0", "newest NVIDIA driver")),
    (Check.TORCH, torch(UNSEEN | {"visible": ""}, RTX4090), "torch_hidden", ("CUDA_VISIBLE_DEVICES",)),
    (Check.TORCH, torch(UNSEEN, RTX5090), "torch_blind", ("Restart", "Repair")),
    (Check.TORCH, torch(UNSEEN | {"architectures": CU126, "cuda": "12.6"}, RTX5090), "torch_no_kernels", ("12.6",)),
    (Check.TORCH, trial("torch", "crashed", signal="SIGSEGV"), "probe_crashed", ("PyTorch", "SIGSEGV")),
    (Check.PRODUCT, trial("product"), "product_good", ("bf16", "RTX 5090")),
    (Check.PRODUCT, trial("product", error=0.4), "product_wrong", ("wrong", "0.4")),
    (Check.PRODUCT, trial("product", error=None), "product_wrong", ("wrong",)),
    (Check.PRODUCT, trial("product", "failed", text="no kernel image"), "product_failed", ("no kernel image",)),
    (Check.PRODUCT, trial("product", "hung", seconds=180), "probe_hung", ("180 seconds",)),
    (Check.FOUR_BIT, trial("four_bit"), "four_bit_good", ("NF4",)),
    (Check.FOUR_BIT, trial("four_bit", backward=1.2), "four_bit_wrong", ("QLoRA", "1.2")),
    (Check.FOUR_BIT, trial("four_bit", held=0.5), "four_bit_wrong", ("0.5",)),
    (Check.FOUR_BIT, trial("four_bit", "failed", error="RuntimeError", text="libbnb"), "four_bit_failed", ("libbnb",)),
    (Check.EIGHT_BIT, trial("eight_bit"), "eight_bit_good", ("8-bit",)),
    (Check.EIGHT_BIT, trial("eight_bit", forward=0.3), "eight_bit_wrong", ("0.3",)),
    (Check.EIGHT_BIT, trial("eight_bit", "failed", text="cublasLt"), "eight_bit_failed", ("cublasLt",)),
    (Check.OPTIMIZER, trial("optimizer"), "optimizer_good", ("right steps",)),
    (Check.OPTIMIZER, trial("optimizer", eight_bit=0.9), "optimizer_wrong", ("0.9",)),
    (Check.OPTIMIZER, trial("optimizer", "failed", text="x"), "optimizer_failed", ("fails",)),
    (Check.OPTIMIZER, trial("optimizer", "left_out"), "probe_left_out", ("while a training runs",)),
    (Check.TRITON, trial("triton", version="3.6.0"), "triton_good", ("3.6.0",)),
    (Check.TRITON, trial("triton", version=""), "triton_none", ("Liger",)),
    (Check.DISK, place(), "disk_good", ("100.0 GB", "runs")),
    (Check.DISK, place("models", 12 * GB), "disk_low", ("12.0 GB", "/data/runs")),
    (Check.DISK, place(free=300_000_000), "disk_full", ("300 MB", "runs")),
    (Check.FOLDERS, place(), "folders_good", ()),
    (Check.FOLDERS, place("models", problem="EROFS"), "folder_read_only", ("models", "/data/runs", "EROFS")),
    (Check.MEMORY, memory(32, 20, 8), "memory_good", ("32.0 GB", "20.0 GB")),
    (Check.MEMORY, memory(6, 4, 8), "memory_small", ("6.0 GB",)),
    (Check.MEMORY, memory(32, 1, 8), "memory_short", ("1.0 GB",)),
    (Check.SWAP, memory(32, 20, 8), "swap_good", ("40.0 GB",)),
    (Check.SWAP, memory(32, 20, 0, "win32"), "swap_off", ("page file", "Virtual memory")),
    (Check.SWAP, memory(16, 9, 2, "win32"), "swap_small", ("18.0 GB", "paging file")),
    (Check.SWAP, memory(32, 9, 2, "win32"), "swap_good", ("34.0 GB",)),
    (Check.SWAP, memory(8, 5, 0), "swap_none", ("8.0 GB",)),
    (Check.POWER, Readings(power=Power(True)), "power_good", ("plugged in",)),
    (Check.POWER, Readings(power=Power(False)), "power_battery", ("battery",)),
    (Check.NETWORK, network(HERE), "network_good", ("ModelScope", "213 ms")),
    (Check.NETWORK, network(GONE, HERE), "network_source", ("Hugging Face", "timed out", "settings")),
    (Check.NETWORK, network(GONE, replace(GONE, source="mirror")), "network_none", ("Hugging Face, the mirror",)),
    (Check.NETWORK, network(UNTRUSTED, HERE), "network_certificate", ("clock", "not yet valid")),
    (Check.NETWORK, Readings(network=Network(offline=True)), "network_offline", ("offline", "settings")),
    (Check.NETWORK, Readings(network=Network(True, (), "HF_HUB_OFFLINE")), "network_offline", ("HF_HUB_OFFLINE",)),
    (Check.CLOCK, clock(), "clock_good", ("1 server",)),
    (Check.CLOCK, Readings(clock=Clock(NOW, NOW - 9e6)), "clock_plausible", ()),
    (Check.CLOCK, clock(-1200), "clock_off", ("about 20 minutes",)),
    (Check.CLOCK, clock(40 * 86_400), "clock_wrong", ("40 days",)),
    (Check.CLOCK, Readings(clock=Clock(NOW - 9e8, NOW)), "clock_early", ("long passed",)),
    (Check.KEYRING, Readings(keyring=Keyring("SecretService Keyring")), "keyring_good", ("SecretService",)),
    (Check.KEYRING, Readings(keyring=Keyring()), "keyring_none", ("memory only",)),
    (Check.SCREEN, Readings(screen=Screen()), "screen_good", ()),
    (Check.SCREEN, Readings(screen=Screen(display=False)), "screen_none", ("command",)),
    (Check.SCREEN, Readings(screen=Screen(True, ("libxcb-cursor.so.0",), "apt")), "screen_libraries",
     ("libxcb-cursor.so.0", "sudo apt install libxcb-cursor0")),
    (Check.SCREEN, Readings(unread={"screen": "no answer within 30 s"}), "unread", ("Window", "30 s")),
]  # fmt: skip


def is_sentence(words: str) -> bool:
    return bool(re.fullmatch(r"[A-Z0-9“].*\.", words)) and not re.search(r"[!{}]|\bNone\b|  |please|sorry", words)


@pytest.mark.parametrize(("check", "readings", "code", "words"), CASES, ids=lambda value: str(value)[:20])
def test_every_reading_is_judged_and_told(check: Check, readings: Readings, code: str, words: tuple[str, ...]) -> None:
    found = judge(readings, [check])
    finding = next(one for one in found if one.code == code)
    said = finding_words(finding)
    assert finding.check is check
    assert is_sentence(said.title)
    assert len(said.title) < 110
    # every finding that is not good says what to do, and a button is there exactly where the app can help
    if finding.level is Level.GOOD:
        assert not said.advice
    else:
        # what a person types has no full stop behind it
        assert is_sentence(said.advice) or "sudo" in said.advice
    assert bool(said.button) == (finding.fix is not None)
    for part in words:
        assert part in f"{said.title} {said.advice}"


def test_every_code_comes_of_some_reading() -> None:
    """The table above knows every code; levels and codes agree."""
    slow = Readings(system=System("linux", wsl=True, slow_folders=(("runs", "/mnt/d/runs"),)))
    [_note, finding] = judge(slow, [Check.WSL])
    assert (finding.code, finding.fix) == ("wsl_slow_folder", Fix.SETTINGS)
    assert {code for _check, _readings, code, _words in CASES} | {"wsl_slow_folder"} == set(FindingCode)
    good = {code for code in FindingCode if code.endswith(("_good", "_processor", "_plausible"))}
    for check, readings, code, _words in CASES:
        finding = next(one for one in judge(readings, [check]) if one.code == code)
        assert (finding.level is Level.GOOD) == (code in good)


def test_chinese_words_keep_the_facts() -> None:
    set_language("zh")
    try:
        [finding] = judge(Readings(cards=Cards((RTX5090,))), [Check.CARD])
        assert "RTX 5090" in finding_words(finding).title
    finally:
        set_language("en")


def test_names_have_words_of_their_own() -> None:
    for names, words in ((Check, check_words), (Level, finding_level_words), (Fix, fix_label)):
        said = [words(name) for name in names]
        assert all(said)
        assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("capability", "built", "runs"),
    [
        ((12, 0), CU130, True), ((12, 0), CU126, False), ((8, 9), CU126, True), ((8, 6), ["sm_80"], True),
        ((8, 0), ["sm_86"], False), ((9, 0), ["sm_90a"], True), ((12, 0), ["sm_90a", "sm_100a"], False),
        ((12, 1), ["sm_120"], True), ((12, 1), ["sm_120a"], False), ((12, 1), ["sm_120f"], True),
        ((12, 0), ["compute_90"], True), ((7, 5), ["compute_90"], False), ((12, 0), [], False),
        ((10, 3), ["sm_100"], True), ((10, 0), ["gfx1100"], False),
    ],
)  # fmt: skip
def test_which_builds_have_code_for_which_cards(capability: tuple[int, int], built: list[str], runs: bool) -> None:
    assert kernels_for(capability, tuple(built)) is runs


def test_a_card_of_several_that_has_no_code_is_named() -> None:
    second = {"device": "cuda:1", "name": "NVIDIA TITAN V", "capability": [7, 0]}
    [finding] = judge(torch(CUDA | {"devices": [*CUDA["devices"], second]}, RTX5090), [Check.TORCH])
    assert (finding.code, finding.facts["card"]) == ("torch_no_kernels", "NVIDIA TITAN V")


def test_a_server_with_an_old_answer_does_not_accuse_the_clock() -> None:
    stale = Reach("mirror", "https://c", 0.1, date=NOW - 86_400 * 3, asked_at=NOW)
    fresh = Reach("huggingface", "https://a", 0.1, date=NOW, asked_at=NOW + 2)
    [finding] = judge(Readings(clock=Clock(NOW, 0), network=Network(sources=(stale, fresh))), [Check.CLOCK])
    assert finding.code == "clock_good"


@pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])
def test_a_refused_certificate_is_told_from_a_silent_server(tmp_path: Path) -> None:
    """A real TLS server whose certificate nobody vouches for, and a port where nobody listens."""
    with self_signed_server(tmp_path) as port:
        [asked, _silent] = reach_of({"mirror": f"https://localhost:{port}", "modelscope": "https://localhost:9"})
    found = judge(Readings(network=Network(sources=(asked, _silent))), [Check.NETWORK])
    assert [one.code for one in found] == ["network_certificate", "network_none"]
    assert "self-signed" in found[0].facts["text"]


@contextmanager
def self_signed_server(folder: Path) -> Iterator[int]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]),
    )
    day = timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(datetime.now(UTC) - day).not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(plain + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("localhost", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    context.wrap_socket(listening.accept()[0], server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def reach_of(servers: dict[str, str]) -> list[Reach]:
    """What core.hub says of these servers, as the job hands it to the doctor."""
    from core.jobs import doctor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.hub.places.addresses", lambda _settings: servers)
        patch.setattr(doctor, "reach", partial(doctor.reach, names=tuple(servers)))
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        return list(doctor._reach(Settings()).sources)


def no_trials(_names: Any) -> Iterator[Probed]:
    return iter(())


def test_a_reading_that_fails_or_hangs_takes_nothing_else_along() -> None:
    def broken() -> Power:
        raise OSError("I/O error")

    # patient enough for a slow machine to answer what is known at once
    over = threading.Event()
    asked = Examination(
        {"python": lambda: Python("3.12.1", 64), "power": broken, "memory": lambda: over.wait(60)}, no_trials, 1.5
    )
    found = list(asked.findings([Check.PYTHON, Check.MEMORY, Check.SWAP, Check.POWER]))
    over.set()
    assert [one.code for one in found] == ["python_good", "unread", "unread", "unread"]
    assert "I/O error" in found[-1].facts["text"]
    assert "1.5 s" in found[1].facts["text"]


def test_trials_are_told_one_by_one_beside_the_cards() -> None:
    told = [Probed(name="torch", facts=CPU), Probed(name="product", device="cpu", facts=RIGHT["product"])]
    asked = list[list[str]]()

    def trials(names: Any) -> Iterator[Probed]:
        asked.append(list(names))
        return iter(told)

    examination = Examination({"cards": lambda: Cards((RTX4090,))}, trials)
    codes = [one.code for one in examination.findings([Check.PRODUCT, Check.TORCH])]
    assert codes == ["torch_cpu_build", "product_good"]
    assert asked == [["torch", "product"]]
    assert examination.readings.probes == tuple(told)


def test_this_computer_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Reach("huggingface", "https://a", 0.1, date=time.time(), asked_at=time.time())
    examination = Examination(readers(Settings(), lambda: Network(sources=(source,))), no_trials)
    found = tuple(examination.findings(set(Check) - {Check.PACKAGES}))
    assert {one.check for one in found} >= {Check.PYTHON, Check.CARD, Check.DISK, Check.MEMORY, Check.CLOCK}
    assert not [one for one in found if one.code == "unread"]
    assert not examination.readings.unread
    assert from_plain(Readings, to_plain(examination.readings)) == examination.readings


def test_offline_opens_not_one_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_args: Any, **_facts: Any) -> None:
        raise AssertionError("a socket was opened")

    def no_reach() -> Network:
        raise AssertionError("a source was asked")

    monkeypatch.setattr(socket, "socket", no_socket)
    found = list(Examination(readers(Settings(offline=True), no_reach), no_trials).findings())
    assert "network_offline" in [one.code for one in found]
    assert not [one for one in found if one.code == "unread"]


def test_folders_that_cannot_be_written_are_found(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    settings = Settings(runs_folder="/proc/solotune", models_folder=str(tmp_path / "a 模型" / "b"))
    if not Path("/proc").is_dir():
        pytest.skip("no folder that refuses")
    found = list(Examination(readers(settings), no_trials).findings([Check.FOLDERS]))
    assert [(one.code, one.facts["place"]) for one in found] == [("folder_read_only", "runs")]


def test_packages_are_missing_or_differ_or_are_whole() -> None:
    read = read_packages(["pytest>=1", "no-such-package-of-ours", "psutil>=99; python_version>'3'"], "pytest==0.0.1\n")
    assert read.missing == ("no-such-package-of-ours",)
    assert [name.split()[0] for name in read.differ] == ["psutil", "pytest"]
    # what these need in turn is looked at as well, and fits
    assert read.good >= 2
    assert not read.incomplete


def test_a_package_with_a_cut_file_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "solo_test_piece-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: solo-test-piece\nVersion: 1.0\n")
    (info / "RECORD").write_text("piece.py,sha256=x,10\n")
    (tmp_path / "piece.py").write_text("0123456789")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read_packages(["solo-test-piece"], "") == Packages(1)
    (tmp_path / "piece.py").write_text("01234")
    assert read_packages(["solo-test-piece"], "") == Packages(0, incomplete=("solo-test-piece",))


@pytest.mark.parametrize(("size", "whole"), [(10, True), (25, True), (5, False), (0, False)])
def test_certificates_of_a_company_are_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, whole: bool
) -> None:
    info = tmp_path / "solo_test_trust-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: solo-test-trust\nVersion: 1.0\n")
    (info / "RECORD").write_text("cacert.pem,sha256=x,10\n")
    (tmp_path / "cacert.pem").write_text("x" * size)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert bool(read_packages(["solo-test-trust"], "").incomplete) is not whole


def test_debian_names_follow_its_rule() -> None:
    libraries = ("libxkbcommon-x11.so.0", "libEGL.so.1", "libdbus-1.so.3", "libX11-xcb.so.1", "libxcb-icccm.so.4")
    assert [debian_name(name) for name in libraries] == [
        "libxkbcommon-x11-0", "libegl1", "libdbus-1-3", "libx11-xcb1", "libxcb-icccm4",
    ]  # fmt: skip
    assert install_command(("libEGL.so.1",), "dnf") == "sudo dnf install 'libEGL.so.1()(64bit)'"
    assert install_command(("libEGL.so.1",), "") == ""


def test_what_is_worth_a_look_after_a_problem() -> None:
    assert doctor_for(Problem(Code.DISK_FULL)) == (Check.DISK, Check.FOLDERS)
    # no computer is at fault where rows are missing, or an owner asks for a licence
    for code in (Code.DATA_EMPTY, Code.GATED_MODEL, Code.TOKEN_REFUSED):
        assert doctor_for(Problem(code)) == ()
    assert Check.FOUR_BIT in doctor_for(Problem(Code.UNKNOWN, {"text": "bitsandbytes was compiled without GPU"}))
    assert Check.TORCH in doctor_for(Problem(Code.PLAN_INVALID, {"text": "CUDA error: invalid device"}))
    assert Check.SWAP in doctor_for(
        Problem(Code.MODEL_CORRUPT, {"text": "The paging file is too small (os error 1455)"})
    )
    for code in Code:
        checks = doctor_for(Problem(code))
        assert list(checks) == [check for check in Check if check in checks]


def test_repair_names_the_way_that_installed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / ".venv"
    prefix.mkdir()
    assert not repair(prefix, source=tmp_path).starts
    # what came from a file comes from that file again, and not from whoever has the name in an index
    wheel = "file:///home/me/solotune-0.1.0-py3-none-any.whl"
    assert repair(prefix, source=tmp_path, origin=wheel).line.endswith(f"--force-reinstall {wheel}")
    for told, origin in (
        ("", "solotune"),
        ('{"url": "file:///a.whl", "archive_info": {}}', "file:///a.whl"),
        ('{"url": "https://h/s", "vcs_info": {"vcs": "git", "commit_id": "0"}}', "git+https://h/s"),
        ("[]", "solotune"),
    ):
        info = tmp_path / "lib" / "solotune-1.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: solotune\nVersion: 1\n")
        (info / "direct_url.json").write_text(told)
        there = metadata.PathDistribution(info)
        monkeypatch.setattr("core.doctor.repair.metadata.distribution", lambda name, there=there: there)
        assert repair(prefix, source=tmp_path).line.endswith(f"--force-reinstall {origin}")
    (prefix / "uv-receipt.toml").touch()
    assert repair(prefix).line == "uv tool upgrade --reinstall solotune"
    (prefix / "pipx_metadata.json").touch()
    assert repair(prefix).line == "pipx reinstall solotune"
    (prefix / "solotune-setup.json").touch()
    (tmp_path / "run.py").touch()
    how = repair(prefix, base="/usr/bin/python3.12")
    # not the environment's own Python: that one is replaced
    assert how.command == ("/usr/bin/python3.12", str(tmp_path / "run.py"), "--repair")
    assert how.starts


def test_findings_cross_the_wire() -> None:
    [finding] = judge(Readings(cards=Cards((BUSY,))), [Check.CARD_ROOM])
    said = Diagnosed(finding=finding)
    assert decode_event(encode(said)) == said


def test_the_report_says_everything_and_how_to_repair() -> None:
    found = (*judge(torch(CPU, RTX4090), [Check.TORCH]), *judge(place(), [Check.DISK]))
    told = report(found, "python run.py --repair")
    assert told.splitlines()[0].startswith("✗ PyTorch")
    assert "To repair SoloTune, close it and run: python run.py --repair" in told
    assert worst(found) is Level.TROUBLE
    assert row(found[1], ascii_only=True).startswith("+ Disk space")
    assert "repair" not in report(judge(place(), [Check.DISK]), "python run.py --repair").lower()
    assert verdict_words(()) == "This computer is ready."


def test_a_window_that_asked_for_a_repair_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    from launch.wait import AFTER, wait_for_window

    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(30)"]) as process:
        monkeypatch.setenv(AFTER, str(process.pid))
        assert not wait_for_window(0.2)
        process.kill()
        process.wait()
        monkeypatch.setenv(AFTER, str(process.pid))
        assert wait_for_window(5)
    assert wait_for_window(0)


def test_findings_are_plain(tmp_path: Path) -> None:
    for check, readings, _code, _words in CASES:
        for finding in judge(readings, [check]):
            assert from_plain(Finding, to_plain(finding)) == finding


@pytest.mark.parametrize(("torch_facts", "code"), [(CPU, 1), (CUDA, 0)])
def test_the_command_prints_a_table_and_says_trouble(
    torch_facts: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    readings = replace(torch(torch_facts, RTX5090), places=place().places)
    findings = judge(readings, [Check.TORCH, Check.DISK])

    def follow(_process: Any, *, hear: Any, **_how: Any) -> Finished:
        for finding in findings:
            hear(Diagnosed(finding=finding))
        return Finished(result={"findings": to_plain(findings), "readings": to_plain(readings)})

    monkeypatch.setattr("core.cli.doctor.follow", follow)
    for arguments in (["doctor"], ["doctor", "--json", "--zip", str(tmp_path / "a.zip")]):
        with pytest.raises(SystemExit) as end:
            run(arguments)
        assert end.value.code == code
        said = capsys.readouterr().out
        if "--json" not in arguments:
            assert "PyTorch" in said.splitlines()[0]
            assert verdict_words(findings) in said
            assert ("To repair SoloTune" in said) == bool(code)
            continue
        told = json.loads(said)
        assert [each["code"] for each in told["findings"]] == [finding.code for finding in findings]
        assert told["level"] == ("trouble" if code else "good")
        assert told["findings"][0]["title"] == finding_words(findings[0]).title
        assert zipfile.is_zipfile(told["zip"])


def test_the_repair_that_the_app_starts_knows_whom_to_wait_for(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "solotune-setup.json").touch()
    said = f"import os, pathlib, sys; t = pathlib.Path({str(told)!r})\n"
    said += "t.write_text(f\"{sys.argv[1:]} {os.environ['SOLOTUNE_AFTER']}\")\n"
    (tmp_path / "run.py").write_text(said)
    with start_repair(repair(tmp_path / ".venv", base=sys.executable)) as process:
        assert process.wait(20) == 0
    assert told.read_text() == f"['--repair', '--window'] {os.getpid()}"


def test_a_network_that_the_environment_forbids_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.jobs.doctor import _reach

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert _reach(Settings()) == Network(offline=True, variable="HF_HUB_OFFLINE")
