"""Processes in which contenders of the speed bench train on a card, listened to and ended when their time is over."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from core import gpu
from core.files import write_text
from tests.bench.card import ROOT, _end
from tests.bench.card_one import Watch
from tests.bench.speed_card_case import CONTENDERS, Prepared
from tests.bench.speed_contenders import MARK

Row = dict[str, Any]


class Children:
    """Lets contenders train in fresh processes on the card that NVML counts as `card`; None is the processor."""

    def __init__(self, card: int | None, room_bytes: int = 0) -> None:
        self._card, self._room_bytes = card, room_bytes

    def __call__(self, case: Prepared, name: str, settings: dict[str, Any], seconds: float) -> Row:
        """What became of it. Raises TimeoutError, and RuntimeError with the last words of a process that failed."""
        with tempfile.TemporaryDirectory(prefix="speed-card-") as scratch, Watch(self._card or 0) as watch:
            given, words = self._given(case, name, settings, Path(scratch)), Path(scratch) / "words.txt"
            with words.open("w") as file:
                child = subprocess.Popen(
                    [sys.executable, "-m", "tests.bench.speed_card_one", str(given)], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=file, text=True, start_new_session=True,
                    env=self._environment(Path(scratch)),
                )  # fmt: skip
                row = followed(child, watch, seconds)
            if child.returncode:
                raise RuntimeError(f"ended with {child.returncode}: {words.read_text(errors='replace')[-2500:]}")
        return row

    def _given(self, case: Prepared, name: str, settings: dict[str, Any], scratch: Path) -> Path:
        """The file of settings for a contender, and its plan beside it."""
        change = CONTENDERS[name].plan
        (change(case.plan) if change else case.plan).save(scratch / "plan.json")
        settings = settings | {
            "contender": CONTENDERS[name].by, "device": "cpu" if self._card is None else "cuda",
            "plan": str(scratch / "plan.json"), "output": str(scratch / "output"), "room_bytes": self._room_bytes,
            "method": case.case.method.value,
        }  # fmt: skip
        write_text(scratch / "settings.json", json.dumps(settings))
        return scratch / "settings.json"

    def _environment(self, scratch: Path) -> dict[str, str]:
        return os.environ | {
            "CUDA_VISIBLE_DEVICES": "" if self._card is None else gpu.visible_device(self._card),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
            "HF_DATASETS_CACHE": str(scratch / "datasets"), "SOLOTUNE_HOME": str(scratch / "home"),
            "OMP_WAIT_POLICY": "PASSIVE", "PYTHONWARNINGS": "ignore",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
        }  # fmt: skip


def followed(child: "subprocess.Popen[str]", watch: Watch, seconds: float) -> Row:
    """Hear what a contender says, and end it when its time is over. Raises TimeoutError."""
    row: Row = {"steps": []}
    late = threading.Event()

    def over() -> None:
        late.set()
        _end(child)

    begun, timer = time.monotonic(), threading.Timer(seconds, over)
    timer.start()
    try:
        assert child.stdout is not None
        with child.stdout as lines:
            for said in lines:
                if said.startswith(MARK):
                    heard(row, json.loads(said.removeprefix(MARK)), watch)
        child.wait()
    finally:
        timer.cancel()
        _end(child)
    if late.is_set():
        raise TimeoutError
    seen = {"before_bytes": watch.before, "peak_bytes": watch.peak}
    return row | {"driver": seen, "took_seconds": round(time.monotonic() - begun, 1)}


def heard(row: Row, said: dict[str, Any], watch: Watch | None = None) -> None:
    """Add to a row what its contender said."""
    if "begins" in said:
        if watch is not None:
            # what was held while the model was made and rehearsed is no part of training
            watch.peak = 0
    elif "seconds" in said:
        row["steps"].append(said)
    else:
        row |= said
        row["ended"] = "does not fit" if "oom" in row else "trained"
