"""A run written as a plain script learns the same: its losses are those of the run, step by step."""

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.engine.script import write_script
from core.engine.train import train
from core.events import StepDone
from core.plan import Method
from core.runs import RunFolder
from tests.engine.conftest import Listener


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("lora", {"packing": False, "lora_plus": 4.0, "shallow_rank": 4}),
        ("lora8", {"checkpointing": "full"}),
        ("qlora", {"rslora": True, "warmup": 0.3}),
    ],
)
def test_losses_of_the_script_are_those_of_the_run(
    make_run: Callable[..., RunFolder],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    more: dict[str, object],
) -> None:
    data = tmp_path / "data.jsonl"
    rows = [{"instruction": f"What is {i}?", "output": "Well: " + "4" * (i * 7 % 50 + 1)} for i in range(20)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = {"data": (str(data),), "dropout": 0.0, "batch": 2, "accumulation": 3, "epochs": 1.5, "save_every": 99}
    run = make_run(**settings | {"method": Method(method), "learning_rate": 2e-3} | more)
    talk = Listener()
    train(run.path, talk, resume=False)
    told = write_script(run.path, tmp_path / "plain.py", Listener())
    ours = [each.loss for each in talk.of(StepDone)]
    assert told["steps"] == len(ours) and told["files"] == ["plain.py", "plain.rows.jsonl", "plain.steps.json"]
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["plain.py"])
    said = alone(tmp_path) if method == "lora" else ""
    if not said:
        runpy.run_path(str(tmp_path / "plain.py"), run_name="__main__")
        said = capsys.readouterr().out
    theirs = [float(loss) for loss in re.findall(r"loss ([\d.]+)", said)]
    assert theirs == pytest.approx(ours, rel=0.01)
    assert theirs[-1] < 0.9 * theirs[0] and (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    row = json.loads((tmp_path / "plain.rows.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert row["text"].startswith("<|im_start|>user") and len(row["ids"]) == len(row["labels"])


def alone(folder: Path) -> str:
    """Run the script in a process of its own that knows nothing of SoloTune; what it prints."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-P", "plain.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    assert not re.search(r"^(from|import) (core|gui)", (folder / "plain.py").read_text(), re.M)
    return done.stdout
