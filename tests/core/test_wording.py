"""Everything that has a code has words, facts appear in them, and nothing about them can fail."""

import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.codes import FileReason, Found, RowCode
from core.data.rows import RowProblem, Shape
from core.events import Noted, StageName
from core.i18n import set_language
from core.plan import Method
from core.problems import Code, Problem, diagnose
from core.reasons import Reason, ReasonCode
from core.recommend import recommend
from core.runs import RunState
from core.wizard import Blocker, Step
from core.wording import (
    Action,
    action_label,
    blocker_words,
    count,
    duration,
    explain,
    gigabytes,
    goal_words,
    joined,
    method_words,
    note_words,
    parameters,
    part_words,
    percent,
    reason_words,
    row_problem_words,
    shape_words,
    sourced_words,
    stage_words,
    state_words,
    step_words,
)  # fmt: skip

ROOT = Path(__file__).parents[2]

#: For every code the facts that its raisers give, with what a person must find of them.
FACTS: dict[Code, tuple[dict[str, Any], tuple[str, ...]]] = {
    Code.NO_GPU: ({}, ()),
    Code.DRIVER: ({"text": "NVML: unknown"}, ("NVML: unknown",)),
    Code.DRIVER_MISMATCH: ({"text": "version mismatch"}, ("Restart the computer", "version mismatch")),
    Code.DRIVER_PERMISSION: ({"text": "Insufficient Permissions"}, ("container", "Insufficient Permissions")),
    Code.CARD_SPLIT: ({}, ("MIG",)),
    Code.CARD_GONE: ({"card": 1}, ("unplugged",)),
    Code.CARD_UNKNOWN: ({"card": "RTX 4091", "near": "RTX 4090, RTX 4080"}, ("“RTX 4091”", "RTX 4090, RTX 4080?")),
    Code.GPU_MEMORY: (
        {"step": 412, "checkpoint": 400, "needed_bytes": 11_400_000_000, "free_bytes": 10_900_000_000},
        ("step 412", "checkpoint is step 400", "11.4 GB", "10.9 GB"),
    ),
    Code.GPU_LOST: ({"error": "RuntimeError", "text": "GPU is lost"}, ()),
    Code.SYSTEM_MEMORY: ({"needed_bytes": 2 * 10**10, "free_bytes": 10**9}, ("20.0 GB", "1.0 GB")),
    Code.DISK_FULL: (
        {"path": "/models", "needed_bytes": 5_000_000_000, "free_bytes": 135_000_000},
        ("/models", "5.0 GB", "135 MB"),
    ),
    Code.NO_NETWORK: ({"what": "Qwen/Qwen3-8B", "text": "timed out"}, ("Qwen/Qwen3-8B", "timed out")),
    Code.DOWNLOAD_BROKEN: ({"what": "model.safetensors", "text": "hash"}, ("model.safetensors", "hash")),
    Code.GATED_MODEL: (
        {"model": "meta/llama", "licence_page": "https://huggingface.co/meta/llama"},
        ("of meta/llama", "https://huggingface.co/meta/llama"),
    ),
    Code.DOWNLOAD_BUSY: ({"path": "/m/a"}, ("/m/a",)),
    Code.TOKEN_REFUSED: ({"model": "meta/llama"}, ("token",)),
    Code.SOURCE_BUSY: ({"host": "modelscope.cn", "status": 503}, ("modelscope.cn", "503")),
    Code.OFFLINE: ({}, ("settings",)),
    Code.MODEL_OUTSIDE: ({"path": "/m", "name": "a.safetensors"}, ("“a.safetensors”", "/m")),
    Code.MODEL_TEMPLATE: ({"path": "/m", "text": "too many steps"}, ("/m", "too many steps")),
    Code.NOT_OURS: ({"path": "/home/me"}, ("/home/me",)),
    Code.DATA_MISSING: ({"path": "/a.json"}, ("/a.json",)),
    Code.DATA_UNREADABLE: (
        {"path": "/a.json", "reason": "bad_json", "line": 1203, "column": 7},
        ("/a.json", "line 1,203", "column 7"),
    ),
    Code.DATA_EMPTY: ({"path": "/a.json"}, ("/a.json",)),
    Code.DATA_CHANGED: ({"path": "/a.json"}, ("/a.json", "a new run")),
    Code.DATA_SHAPE: (
        {"path": "/a.csv", "found": "columns", "columns": "name, age"},
        ("/a.csv", "name, age"),
    ),
    Code.MODEL_MISSING: ({"model": "qwen3-8b", "path": "/m"}, ("qwen3-8b", "/m")),
    Code.MODEL_UNKNOWN: ({"model": "no/such"}, ("no/such",)),
    Code.MODEL_INCOMPLETE: ({"path": "/m", "missing": "tokenizer.json"}, ("/m", "tokenizer.json")),
    Code.MODEL_CORRUPT: ({"path": "/m/a.json", "text": "size: x"}, ("/m/a.json", "size: x")),
    Code.MODEL_PICKLE: ({"path": "/m"}, ("/m", "run code when they are opened", "safetensors")),
    Code.MODEL_CUSTOM_CODE: ({"path": "/m"}, ("/m",)),
    Code.MODEL_UNSUPPORTED: ({"path": "/m", "text": "already quantized"}, ("/m", "16-bit version")),
    Code.PLAN_INVALID: ({"path": "/p.json", "reason": "rank: 0"}, ("/p.json", "rank: 0")),
    Code.NOT_A_NUMBER: ({"step": 12, "what": "loss", "rows": [["a.jsonl", 3]]}, ("Step 12",)),
    Code.NOTHING_TO_LEARN: ({"rows": 12, "tokens": 1024}, ("1,024 tokens",)),
    Code.RUN_MISSING: ({"path": "/runs/1"}, ("/runs/1",)),
    Code.RUN_BUSY: ({"path": "/runs/1"}, ("/runs/1",)),
    Code.SHARED_MODEL: ({"way": "DeepSpeed"}, ("DeepSpeed", "`accelerate config`", "FSDP")),
    Code.SHARED_BITS: ({"held": "qlora"}, ("4 bits", "--multi_gpu")),
    Code.RUN_IDLE: ({"path": "/runs/1"}, ("/runs/1",)),
    Code.RUN_NOT_RESUMABLE: ({"path": "/runs/1"}, ("/runs/1",)),
    Code.RUN_NO_ADAPTER: ({"path": "/runs/1"}, ("/runs/1",)),
    Code.READ_ONLY: ({"path": "/cd"}, ("/cd",)),
    Code.FOLDER_NOT_EMPTY: ({"path": "/out"}, ("/out",)),
    Code.FOLDER_MOVING: ({}, ("is being moved",)),
    Code.MERGE_DIFFERS: ({"agreement": 47, "replayed": 50, "path": "/out"}, ("47 of 50", "/out")),
    Code.WORKER_KILLED: ({"exitcode": -9, "signal": "SIGKILL"}, ("SIGKILL",)),
    Code.WORKER_CRASHED: ({"exitcode": 3221225477, "last_words": "boom"}, ("3221225477", "boom")),
    Code.WORKER_SILENT: ({"last_words": "bye"}, ("bye",)),
    Code.PACKAGE_MISSING: ({"package": "pyarrow"}, ("pyarrow",)),
    Code.UNKNOWN: ({"error": "KeyError", "text": "'loss'"}, ("KeyError: 'loss'",)),
}  # fmt: skip

REASON_FACTS: dict[str, Any] = {
    "low_gb": 10, "high_gb": 20, "documents_gb": 24, "size_class": "7B", "method": "lora8",
    "title": "Qwen3-8B", "parameters": 8_200_000_000, "used_bytes": 10**9, "free_bytes": 11 * 10**9,
    "total_bytes": 12 * 10**9, "needed_bytes": 9_800_000_000, "short_bytes": 10**9, "saved_bytes": 2 * 10**9,
    "before": "lora", "after": "qlora",
    "before_parameters": 8_200_000_000, "after_parameters": 1_700_000_000, "goal": "medium",
    "rank": 16, "low": 8,
    "high": 16, "alpha": 32, "learning_rate": 2e-4, "limit": 5e-4, "tokens": 512, "dropout": 0.25,
    "rank_limit": 256,
    "dropout_limit": 0.2, "modules": 7, "rows": 196,
    "longest": 4000, "rows_cut": 2, "share": 0.01,
    "percent": 33, "needed": "7.5", "capability": "7.0",
}  # fmt: skip

NOTES = {
    "rows_truncated": ({"rows": 3, "tokens": 1024}, ("3 rows are", "1,024 tokens")),
    "rows_skipped": ({"rows": 1}, ("1 row is",)),
    "template_fallback": ({}, ()),
    "plain_loss_used": ({}, ()),
    "cpu_training": ({}, ()),
    "base_shared": ({"processes": 4}, ("4 processes",)),
    "packing_not_used": ({}, ()),
    "liger_used": ({}, ()),
    "no_biases": ({}, ()),
    "best_kept": ({"step": 300, "loss": 1.25, "last_step": 400, "last_loss": 1.5}, ("step 300", "1.25", "1.5")),
    "stopped_early": ({"step": 400, "waited": 3}, ("step 400", "3 checks")),
    "memory_stepped": ({"step": 400}, ("step 400",)),
    "memory_smaller": ({"step": 400}, ("from step 400",)),
    "rolled_back": ({"step": 412, "to": 400, "rate": 1e-4}, ("Step 412", "step 400", "1e-4")),
    "resumed": ({"step": 400}, ("step 400",)),
    "checkpoint_damaged": ({"step": 400, "to": 200}, ("step 400", "step 200")),
    "validation_rows": ({"rows": 1}, ("1 row is kept aside",)),
    "lora8_reentrant": ({}, ()),
    "card_lost": ({}, ("does not answer",)),
    "tokens_planned": ({"tokens": 1_200_000}, ("1,200,000 tokens",)),
    "gradient_spike": ({"step": 40, "norm": 12.5, "usual": 0.9}, ("Step 40", "12.5", "0.9")),
    "may_sleep": ({}, ("may fall asleep",)),
    "samples_rarer": ({"every": 60}, ("every 60 steps",)),
    "samples_at_the_end": ({}, ("before and after",)),
    "samples_skipped": ({}, ("too little memory",)),
    "samples_failed": ({}, ("without sample answers",)),
    "tracking_ended": ({"name": "wandb", "text": "No network."}, ("wandb", "No network.")),
    "probe_fits": (
        {
            "measured_bytes": 9_600_000_000,
            "room_bytes": 11_000_000_000,
            "left_bytes": 1_400_000_000,
            "predicted_bytes": 9_800_000_000,
            "tokens": 812,
            "batch": 4,
        },
        ("9.6 GB of 11.0 GB", "9.8 GB", "812 tokens"),
    ),
    "probe_stepped": ({"room_bytes": 11_000_000_000, "plan": {"batch": 4}}, ("11.0 GB",)),
    "rows_refused": ({"rows": 2, "file": "a.jsonl", "line": 7}, ("2 rows are", "line 7 of a.jsonl")),
    "rows_cleaned": ({"rows": 100, "kept": 90, "changed": 3}, ("90 of 100 rows", "3 of them")),
    "rows_not_kept": ({}, ("data files",)),
    "data_changed": ({"file": "a.jsonl"}, ("a.jsonl has changed",)),
    "data_gone": ({"file": "a.jsonl"}, ("a.jsonl is not there",)),
    "rows_mixed": ({"rows": 5, "wanted": 9}, ("5 rows of general dialogue", "of 9 asked for")),
    "validation_shared": ({"rows": 1}, ("1 row of the validation file",)),
    "stage_begins": ({"stage": 2, "stages": 3, "rows": 1200, "epochs": 1.5}, ("Stage 2 of 3", "1,200", "1.5")),
    "settled": ({"steps": 14}, ("14 more steps",)),
    "replayed_exactly": ({}, ("full precision",)),
    "replayed_rounded": ({}, ("rounding decides",)),
    "chat_base": ({"held": "qlora", "device": "cuda"}, ("4 bits",)),
}


def is_sentence(words: str) -> bool:
    return bool(re.fullmatch(r"[A-Z0-9“].*\.", words)) and not re.search(r"[!{}]|\bNone\b|  |please|sorry", words)


def test_the_table_above_knows_every_code() -> None:
    assert set(FACTS) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_a_problem_without_facts_still_says_what_happened_and_what_to_do(code: Code) -> None:
    words = explain(Problem(code))
    assert is_sentence(words.title)
    assert is_sentence(words.advice)
    assert len(words.title) < 80
    assert words.action is not None or code is Code.PACKAGE_MISSING


@pytest.mark.parametrize("code", Code)
def test_facts_appear(code: Code) -> None:
    facts, expected = FACTS[code]
    words = explain(Problem(code, facts))
    for part in expected:
        assert part in f"{words.title} {words.advice}"


NAMES = st.sampled_from(sorted({name for facts, _expected in FACTS.values() for name in facts} | {"found", "what"}))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda v: st.lists(v, max_size=2),
)


@given(st.sampled_from(Code), st.dictionaries(NAMES, ANYTHING))
def test_no_fact_of_any_kind_is_an_error(code: Code, facts: dict[str, Any]) -> None:
    words = explain(Problem(code, facts))
    assert words.title
    assert words.advice


def test_braces_and_long_texts_in_facts_are_only_text() -> None:
    words = explain(Problem(Code.DATA_MISSING, {"path": "/{line}/{0.__class__}"}))
    assert words.title == "There is no file at /{line}/{0.__class__}."
    assert len(explain(Problem(Code.UNKNOWN, {"error": "E", "text": "a\n" * 5000})).advice) < 600


def test_facts_without_a_full_stop_do_not_run_into_the_next_sentence() -> None:
    advice = explain(Problem(Code.PLAN_INVALID, {"reason": "rank: 0 is outside 1..2048"})).advice
    assert advice == "rank: 0 is outside 1..2048. Change the plan and try again."


@pytest.mark.parametrize("missing", ["tokenizer", "end-of-text token", "tokenizer.json"])
def test_what_is_missing_is_named_inside_the_sentence(missing: str) -> None:
    title = explain(Problem(Code.MODEL_INCOMPLETE, {"missing": missing})).title
    assert re.fullmatch(r"The model is incomplete: [^.]+(\.json)? is missing\.", title)


def test_sentences_are_joined_as_their_script_writes_them() -> None:
    assert joined("One.", "", "Two.") == "One. Two."
    assert joined("一。", "二。") == "一。二。"
    assert joined() == joined("") == ""


def test_a_reason_names_its_documents() -> None:
    assert sourced_words(Reason("learning_rate", {"learning_rate": 2e-4}, "D1, D4")).endswith(
        " is a proven start. (Source: documents D1, D4)"
    )
    assert sourced_words(Reason("fits", REASON_FACTS, "SoloTune")) == reason_words(Reason("fits", REASON_FACTS))


@pytest.mark.parametrize(("size", "words"), [("large", "建议用大型模型"), ("7B", "建议用 7B 模型")])
def test_sizes_read_well_in_chinese(size: str, words: str) -> None:
    set_language("zh")
    try:
        assert words in reason_words(Reason("tier", REASON_FACTS | {"size_class": size}))
    finally:
        set_language("en")


def test_parts_and_shapes_have_words() -> None:
    parts = recommend(12 * 10**9, 11 * 10**9).estimate.items()
    assert all(part_words(part) != part for part in parts)
    assert len({shape_words(shape) for shape in Shape}) == len(Shape)


def test_any_exception_comes_out_as_words() -> None:
    assert explain(diagnose(OSError(28, "No space", "/disk"))).title == "The disk is full."
    assert "ZeroDivisionError: division by zero" in explain(diagnose(ZeroDivisionError("division by zero"))).advice


@pytest.mark.parametrize("reason", [*FileReason, "missing"])
def test_every_reason_for_an_unreadable_file_has_its_sentence(reason: str) -> None:
    known = {
        "path": "/a",
        "reason": reason,
        "line": 3,
        "column": 4,
        "suffix": ".pdf",
        "size_bytes": 3 * 10**9,
    }
    for facts in (known, {"path": "/a", "reason": reason, "suffix": ".pdf", "size_bytes": 3 * 10**9}):
        advice = explain(Problem(Code.DATA_UNREADABLE, facts)).advice
        assert is_sentence(advice)
        assert advice != reason


@pytest.mark.parametrize("found", Found)
def test_everything_found_instead_of_rows_has_its_sentence(found: Found) -> None:
    advice = explain(Problem(Code.DATA_SHAPE, {"path": "/a", "found": found, "columns": "a, b"})).advice
    assert is_sentence(advice)
    assert str(found) != advice


@pytest.mark.parametrize("code", RowCode)
@pytest.mark.parametrize("detail", ["", "tool"])
def test_every_rejected_row_says_why(code: RowCode, detail: str) -> None:
    assert is_sentence(row_problem_words(RowProblem("f", 1, code, detail)))


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_is_a_sentence(code: ReasonCode) -> None:
    assert is_sentence(reason_words(Reason(code, REASON_FACTS)))


@pytest.mark.parametrize(
    ("code", "facts", "words"),
    [
        ("tier", {}, "The guide for 10–20 GB suggests a 7B model with LoRA on an 8-bit base."),
        ("tier", {"low_gb": 0},
         "The guide for less than 20 GB suggests a 7B model with LoRA on an 8-bit base."),
        ("tier", {"high_gb": 0},
         "The guide for 10 GB and more suggests a 7B model with LoRA on an 8-bit base."),
        ("not_fitting", {"reserve_bytes": 5 * 10**8},
         "It does not fit: it needs about 9.8 GB and a reserve of 500 MB, and 11.0 GB are free."),
        ("fits", {}, "It fits: about 9.8 GB of 11.0 GB."),
        ("stepped_method", {}, "QLoRA instead of LoRA, which does not fit into the free memory."),
        ("alternative_faster", {}, "Faster: Qwen3-8B is smaller (1.7B instead of 8.2B)."),
        ("danger_learning_rate", {"learning_rate": 8e-4},
         "A learning rate of 8e-4 makes QLoRA unsteady. Stay at 5e-4 or below."),
        ("rank_by_goal", {},
         "For questions and answers the guide suggests a rank of 8–16; this plan takes 16."),
        ("from_a_newer_version", {}, "from a newer version"),
    ],
)  # fmt: skip
def test_reasons_put_facts_into_words(code: str, facts: dict[str, Any], words: str) -> None:
    assert reason_words(Reason(code, REASON_FACTS | facts)) == words


@pytest.mark.parametrize("code", NOTES)
def test_every_note_is_a_sentence_with_its_facts(code: str) -> None:
    facts, expected = NOTES[code]
    words = note_words(Noted(code=code, facts=facts))
    assert is_sentence(words)
    for part in expected:
        assert part in words


def test_the_engine_emits_no_note_without_words() -> None:
    emitted = set()
    for path in (ROOT / "core").rglob("*.py"):
        emitted |= set(re.findall(r"Noted\(code=\"(\w+)\"", path.read_text(encoding="utf-8")))
    assert emitted <= set(NOTES)


def test_a_note_of_a_newer_version_is_shown_as_it_is() -> None:
    assert note_words(Noted(code="moon_phase")) == "moon phase"
    assert note_words(Noted(code="resumed")) == "resumed"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (StageName, stage_words), (Step, step_words), (RunState, state_words), (Method, method_words),
        (Action, action_label), (Blocker, blocker_words),
    ],
)  # fmt: skip
def test_every_name_has_words_of_its_own(names: type[StrEnum], words: Any) -> None:
    said = [words(name) for name in names]
    assert all(said)
    assert len(set(said)) == len(said)
    assert names is not Blocker or all(map(is_sentence, said))


def test_names_that_others_rely_on() -> None:
    assert [method_words(m) for m in Method] == ["LoRA", "LoRA on 8-bit base", "QLoRA"]
    assert len({goal_words(goal) for goal in ("simple", "medium", "complex")}) == 3


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (10_900_000_000, "10.9 GB"), (999_500_000, "1.0 GB"), (999_499_999, "999 MB"),
        (135_000_000, "135 MB"),
        (12_345, "12 kB"), (0, "0 MB"), (1_234_500_000_000, "1,234.5 GB"), (-2_000_000_000, "-2.0 GB"),
    ],
)  # fmt: skip
def test_gigabytes(number: int, words: str) -> None:
    assert gigabytes(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a few seconds"), (-5, "a few seconds"), (28, "about 30 seconds"), (57.5, "about 1 minute"),
        (89, "about 1 minute"), (180, "about 3 minutes"), (3569, "about 59 minutes"), (3599, "1 h"),
        (7500, "2 h 5 min"), (86_399, "1 day"), (100_800, "1 day 4 h"), (200_000, "2 days 8 h"),
        (float("inf"), "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_durations_never_name_sixty_of_anything(a: float, b: float) -> None:
    assert not re.search(r"\b(60|61) (min|seconds)|\b24 h", f"{duration(a)} {duration(b)}")


def test_counts_shares_and_sizes() -> None:
    assert (count(1234567), count(7)) == ("1,234,567", "7")
    shares = (0, 0.001, 0.08, 0.9999, 1)
    assert [percent(share) for share in shares] == ["0 %", "1 %", "8 %", "99 %", "100 %"]
    assert [parameters(n) for n in (134_515_008, 1_700_000_000, 8_000_000_000)] == ["135M", "1.7B", "8B"]


def test_importing_the_words_loads_nothing_heavy() -> None:
    heavy = {"psutil", "platformdirs", "babel", "PySide6", "core.wizard", "core.data.inspect"}
    code = f"import core.wording, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
