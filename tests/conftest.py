"""Every test runs offline, offscreen and in a temporary home; children and threads that stay behind fail it."""

import faulthandler
import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a busy computer is slow, and no error
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["LANGUAGE"] = "en"
if "PYTEST_XDIST_WORKER" in os.environ:
    # one core each; threads that wait for work would take it from the others
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

STDERR = pytest.StashKey[int]()
#: Seconds that a failed test gets to put its things away.
AFTER_A_FAILURE = 120


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real stderr for a last word, before it is captured."""
    config.stash[STDERR] = os.dup(2)


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item) -> None:
    """Watch over the end of a failed test: all other clocks stop with the failure, and what follows may hang."""
    faulthandler.dump_traceback_later(AFTER_A_FAILURE, exit=True, file=node.config.stash[STDERR])


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test; child processes inherit it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SOLOTUNE_HOME", str(folder))
    # what other programs have downloaded for whoever runs the tests
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(folder / "modelscope"))
    return folder


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a child process behind."""
    yield
    left = multiprocessing.active_children()
    for child in left:
        child.kill()
    assert not left, f"child processes left running: {left}"
    assert threading.active_count() < 50


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 100k-parameter Llama with a tokenizer and a chat template, made on the spot."""
    from tests.tiny import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
