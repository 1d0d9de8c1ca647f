"""What live readings of a card cost: processor time of a reading, and its share of one core at two readings a second.

Run: python -m tests.bench.nvml [--seconds 10]. Prints JSON. With an NVIDIA driver it is the real one; without it a
stand-in of NVML's C functions (nvml.c) is compiled, which leaves the driver's own time out; without a compiler it is
FakeNvml. `source` says which it was.
"""

import argparse
import ctypes
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pynvml

from core import gpu
from core.problems import Trouble
from tests.fake_nvml import FakeCard, FakeNvml

READINGS = 2000
HERTZ = 2


def source(folder: Path) -> str:
    """Make cards readable, by the real driver or by what comes nearest to it; say which."""
    try:
        found = gpu.cards()
        return f"driver {found[0].driver}, {found[0].name}"
    except Trouble:
        gpu.close()
    compiler = shutil.which("cc")
    if compiler is None:
        fake = FakeNvml(FakeCard())
        gpu._nvml = lambda: fake
        return "FakeNvml: only what core.gpu itself costs"
    library = folder / "libnvidia-ml.so.1"
    build = [compiler, "-shared", "-fPIC", "-O2", "-w", "-o", str(library), str(Path(__file__).with_suffix(".c"))]
    subprocess.run(build, check=True)
    pynvml.nvmlLib = ctypes.CDLL(str(library))
    pynvml._nvmlGetFunctionPointer_cache.clear()
    return "stand-in library: core.gpu and pynvml, without the driver's own time"


def microseconds(work: Callable[[], object], times: int) -> float:
    """Processor time of this process for one call: the median of five rounds."""
    rounds = []
    for _ in range(5):
        before = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - before) / times * 1e6)
    return statistics.median(rounds)


def share_of_a_core(seconds: float) -> float:
    """Per cent of a core that paced readings take: between them everything has grown cold."""
    before, began = time.process_time(), time.monotonic()
    due = began
    while due < began + seconds:
        assert gpu.read(0) is not None
        due += 1 / HERTZ
        time.sleep(max(0.0, due - time.monotonic()))
    return 100 * (time.process_time() - before) / (time.monotonic() - began)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to read at two readings a second")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[str, object] = {"source": source(Path(folder)), "cards": len(gpu.cards())}
        one = microseconds(lambda: gpu.read(0), READINGS)
        figures |= {
            "reading_microseconds": round(one, 1),
            f"core_percent_at_{HERTZ}_hz_by_product": round(one * HERTZ / 1e6 * 100, 4),
            f"core_percent_at_{HERTZ}_hz_paced": round(share_of_a_core(wanted.seconds), 4),
            "cards_microseconds": round(microseconds(gpu.cards, 50), 1),
        }
        gpu.close()
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
