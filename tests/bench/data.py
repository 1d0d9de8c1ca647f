"""How fast a data file is read, cleaned, freed of near duplicates and counted in tokens, and how much memory it takes.

Run: python -m tests.bench.data [ROWS] [--peer]. Alpaca rows of which half are Chinese, with duplicates, near duplicates
and spoiled rows (tests.bench.clean makes them), go from a JSONL file through core.data.prepare.examine as `solotune
check` uses it; then five times as many. `--peer` adds the same steps as a plain pipeline of datasets.load_dataset, map
and filter with datasketch (pip install datasketch) in the same run. Tokens are counted with the tokenizer in
$SOLOTUNE_TOKENIZER, or with the tests' byte-level one, which gives a token for each byte. The whole benchmark (100,000
rows with `--peer`) writes results/data.md and .json beside this file.

Every figure is taken in a process of its own on one core: wall seconds, rows a second, and peak memory above that of a
process that has only loaded the libraries.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.data.clean import Cleaning, Mode, StepName, Switch
from core.data.rows import Conversation, Message
from tests.bench.clean import rows

#: Rows of the whole benchmark, the one that is kept.
WHOLE = 100_000
RESULTS = Path(__file__).with_name("results")
#: Every step acts, so that both ways do the same.
CLEANING = Cleaning(tuple(Switch(step, Mode.ACT) for step in StepName if step is not StepName.SAME_ANSWER))


def write_rows(path: Path, count: int) -> None:
    """Write rows as Alpaca files hold them."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows(count):
            asked, answer = (message.content for message in row.messages)
            file.write(json.dumps({"instruction": asked, "input": "", "output": answer}, ensure_ascii=False) + "\n")


def ours(file: str, folder: str) -> dict[str, Any]:
    """The way of the product: one reading, a file of the rows in between, and one more pass for the tokens."""
    from core.data.lengths import RowLengths
    from core.data.prepare import examine

    def work() -> dict[str, Any]:
        count = RowLengths(Path(folder))
        report, _cleaned, private = examine((file,), CLEANING, count=count)
        return {"rows": report.rows, "kept": report.kept, "tokens": report.tokens["total"], "private": private}

    return _measured(work, warm=lambda: examine((_small(file),), CLEANING, count=RowLengths(Path(folder))))


def theirs(file: str, folder: str) -> dict[str, Any]:
    """The same steps one after the other, as datasets and datasketch document them."""
    import datasets
    from datasketch import MinHash, MinHashLSH
    from transformers import AutoTokenizer

    datasets.disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def work(source: str = file) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as cache:
            data = datasets.load_dataset("json", data_files=source, split="train", cache_dir=cache)
            count = len(data)
            data = _cleaned_by_map(data)
            seen = set[tuple[str, str]]()

            def first(row: dict[str, str]) -> bool:
                key = (row["instruction"], row["output"])
                return not (key in seen or seen.add(key))

            data = data.filter(first)
            index, number = MinHashLSH(threshold=CLEANING.similar, num_perm=128), iter(range(count))

            def new(row: dict[str, str]) -> bool:
                text = (row["instruction"] + " " + row["output"]).lower()
                size = 5 if text.isascii() else 3
                digest = MinHash(num_perm=128)
                digest.update_batch({text[at : at + size].encode() for at in range(len(text) - size + 1)})
                if index.query(digest):
                    return False
                index.insert(next(number), digest)
                return True

            data = data.filter(new)

            def tokens(row: dict[str, str]) -> dict[str, int]:
                asked, answer = (
                    {"role": "user", "content": row["instruction"]},
                    {"role": "assistant", "content": row["output"]},
                )
                return {"tokens": len(tokenizer.apply_chat_template([asked, answer], return_dict=False))}

            data = data.map(tokens)
            return {"rows": count, "kept": len(data), "tokens": sum(data["tokens"])}

    return _measured(work, warm=lambda: work(_small(file)))


def _cleaned_by_map(data: Any) -> Any:
    """One map for every step that changes rows, one filter for every step that drops some."""
    from core.data.clean.look import Seen
    from core.data.clean.report import Effect
    from core.data.clean.steps import STEPS

    def told(row: dict[str, str]) -> Conversation:
        return Conversation((Message("user", row["instruction"]), Message("assistant", row["output"])))

    for step in STEPS:
        if step.look is None:
            continue
        look = step.look(CLEANING)
        if step.acts is Effect.CHANGED:

            def repaired(row: dict[str, str], look: Any = look) -> dict[str, str]:
                found = look(Seen(told(row)))
                if not found or not found.changed:
                    return row
                asked, answer = found.changed.messages
                return row | {"instruction": asked.content, "output": answer.content}

            data = data.map(repaired)
        else:
            data = data.filter(lambda row, look=look: look(Seen(told(row))) is None)
    return data


def _small(file: str) -> str:
    """A few rows of the file, to load every library before anything is measured."""
    small = Path(file).with_name("small.jsonl")
    if not small.exists():
        with Path(file).open(encoding="utf-8") as lines:
            small.write_text("".join(line for line, _number in zip(lines, range(64), strict=False)), encoding="utf-8")
    return str(small)


def _measured(work: Callable[[], dict[str, Any]], warm: Callable[[], Any]) -> dict[str, Any]:
    warm()
    before, began, cpu = _peak_bytes(), time.perf_counter(), time.process_time()
    found = work()
    seconds = time.perf_counter() - began
    return found | {
        "seconds": round(seconds, 1),
        "rows_per_second": round(found["rows"] / seconds),
        "rows_per_cpu_second": round(found["rows"] / (time.process_time() - cpu)),
        "loaded_mb": round(before / 1e6),
        "peak_mb": round(_peak_bytes() / 1e6),
        "above_mb": round((_peak_bytes() - before) / 1e6),
    }


def _peak_bytes() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _apart(way: str, file: Path, folder: str) -> dict[str, Any]:
    # one core each: the comparison is of the work, not of how it is spread
    alone = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "HF_DATASETS_OFFLINE": "1"}
    command = [sys.executable, "-m", "tests.bench.data", "--one", way, str(file), folder]
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | alone).stdout
    return dict(json.loads(out.splitlines()[-1]))


def _byte_level(scratch: Path) -> str:
    from tests.tiny import make_tiny_tokenizer

    make_tiny_tokenizer().save_pretrained(scratch / "model")
    return str(scratch / "model")


def keep(figures: dict[str, Any]) -> None:
    """Write what the whole benchmark found, as numbers and as a table."""
    (RESULTS / "data.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    lines = [
        "# Reading, cleaning, near duplicates and tokens", "",
        f"100,000 Alpaca rows, half of them Chinese, of which cleaning drops 12 % ({figures['file_mb']} MB); one "
        "core each; written by `python -m tests.bench.data --peer`. Memory is the peak of the process, and what of it "
        "came after its libraries were loaded.", "",
        "| way | rows | kept | rows a second | rows a second of processor time | peak MB | of that for the rows |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for way, found in figures.items():
        if isinstance(found, dict):
            named = (found["rows"], found["kept"], found["rows_per_second"], found["rows_per_cpu_second"])
            cells = " | ".join(f"{number:,}" for number in (*named, found["peak_mb"], found["above_mb"]))
            lines.append(f"| {'SoloTune' if way == 'ours' else way.replace('ours', 'SoloTune')} | {cells} |")
    (RESULTS / "data.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="?", type=int, default=WHOLE, help=f"how many; {WHOLE:,} when left out")
    parser.add_argument("--peer", action="store_true", help="the plain pipeline too, in the same run")
    # one way in a process of its own
    parser.add_argument("--one", nargs=3, metavar=("WAY", "FILE", "FOLDER"), help=argparse.SUPPRESS)
    found = parser.parse_args(arguments)
    if found.rows < 1:
        parser.error("rows: 1 or more")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures as one JSON object."""
    asked = _asked(arguments)
    if asked.one:
        way, one, model = asked.one
        print(json.dumps({"ours": ours, "theirs": theirs}[way](one, model)))
        return
    count = asked.rows
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.environ.get("SOLOTUNE_TOKENIZER") or _byte_level(Path(scratch))
        file = Path(scratch) / "rows.jsonl"
        write_rows(file, count)
        figures: dict[str, Any] = {"file_mb": round(file.stat().st_size / 1e6), "ours": _apart("ours", file, folder)}
        if asked.peer:
            figures["datasets.map"] = _apart("theirs", file, folder)
            faster = figures["ours"]["rows_per_second"] / figures["datasets.map"]["rows_per_second"]
            figures["times_as_fast"] = round(faster, 1)
        write_rows(file, 5 * count)
        figures["ours, five times the rows"] = _apart("ours", file, folder)
    print(json.dumps(figures, indent=2))
    if asked.peer and count == WHOLE:
        keep(figures)


if __name__ == "__main__":
    main()
