"""How fast data is inspected, with and without counting tokens, and how much memory that takes.

Run: python -m tests.bench.lengths [MODEL_FOLDER]. Prints JSON: rows per second and peak memory (MB) of a process of
its own for each way, on 100,000 generated Alpaca rows. Without a folder the tests' byte-level tokenizer counts.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.data.inspect import inspect_files
from core.data.lengths import RowLengths

ROWS = 100_000
#: Syllables of made-up words: more different words than a tokenizer's cache holds.
_SYLLABLES = (
    "ba", "con", "de", "ex", "for", "gra", "hi", "in", "jo", "ker", "lo", "ment", "no", "or", "pre", "qui", "ra",
    "ster", "ti", "un", "ver", "wa", "yon", "zen", "ing", "er", "ly",
)  # fmt: skip


def write_rows(path: Path) -> None:
    """Alpaca rows about as long as the published ones: 60 letters of instruction, 270 of answer."""
    chance = random.Random(0)
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 3))) for _ in range(30_000)]
    common = words[:300]

    def text(letters: int) -> str:
        return " ".join(chance.choice(common if chance.random() < 0.6 else words) for _ in range(letters // 6))

    with path.open("w", encoding="utf-8") as file:
        for _ in range(ROWS):
            row = {"instruction": text(60), "input": "", "output": text(chance.randint(30, 510))}
            file.write(json.dumps(row) + "\n")


def measure(file: str, way: str, folder: str) -> None:
    """Inspect the file one way and print what it took."""
    count = {"none": lambda: None, "estimate": RowLengths, "count": lambda: RowLengths(Path(folder))}[way]()
    before, cpu = time.perf_counter(), time.process_time()
    report = inspect_files((file,), count=count)
    seconds = time.perf_counter() - before
    print(
        json.dumps(
            {
                "rows_per_second": round(report.rows / seconds),
                "rows_per_cpu_second": round(report.rows / (time.process_time() - cpu)),
                "seconds": round(seconds, 2),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
                "mean_tokens": report.tokens.get("mean"),
                "exact": report.tokens_exact,
            }
        )
    )


def main() -> None:
    """Print the figures of the three ways, each in a process of its own, on one core and on all."""
    if len(sys.argv) == 4:
        return measure(*sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        folder = sys.argv[1] if len(sys.argv) == 2 else _byte_level(Path(scratch))
        file = Path(scratch) / "rows.jsonl"
        write_rows(file)
        figures = {"rows": ROWS, "file_mb": round(file.stat().st_size / 1e6)}
        for name, way, parallel in (
            ("reading", "none", "true"),
            ("estimating", "estimate", "true"),
            ("counting, one core", "count", "false"),
            ("counting", "count", "true"),
        ):
            figures[name] = _in_process(str(file), way, folder, parallel)
    print(json.dumps(figures, indent=2))
    return None


def _in_process(file: str, way: str, folder: str, parallel: str) -> dict[str, object]:
    command = [sys.executable, "-m", "tests.bench.lengths", file, way, folder]
    environment = os.environ | {"TOKENIZERS_PARALLELISM": parallel}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return dict(json.loads(told))


def _byte_level(scratch: Path) -> str:
    from tests.tiny import make_tiny_tokenizer

    make_tiny_tokenizer().save_pretrained(scratch / "model")
    return str(scratch / "model")


if __name__ == "__main__":
    main()
