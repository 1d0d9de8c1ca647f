"""What tests of the core share: graphics cards that are not there."""

from collections.abc import Callable, Iterator

import pytest

from core import gpu
from tests.fake_nvml import FakeNvml


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[FakeNvml], FakeNvml]]:
    """Put a FakeNvml in the place of pynvml; NVML is closed before and after."""

    def put(fake: FakeNvml) -> FakeNvml:
        gpu.close()
        monkeypatch.setattr(gpu, "_nvml", lambda: fake)
        return fake

    yield put
    gpu.close()
