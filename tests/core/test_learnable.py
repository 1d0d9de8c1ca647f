"""Will it learn? Every check on and off, worst first, and fixes that fix; nothing that is known can make it fail."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import models, spec_of
from core.codec import dumps
from core.data.clean.cleaning import Cleaning, Mode, StepName, Switch
from core.data.clean.report import CleanReport, Effect, RowRef, SetKind, StepReport, Touch
from core.data.inspect import inspect_files
from core.data.lengths import RowLengths
from core.data.prepare import examine
from core.data.rows import Conversation, DataReport, Message, Shape
from core.i18n import set_language
from core.learnable import Check, CheckCode, Level, TemplateFacts, blocked, template_facts, will_it_learn
from core.plan import Method, Mix, TrainingPlan, TrainingStage
from core.planning import make_plan
from core.reasons import ReasonCode
from core.tokens import TokenTotals
from core.wording import fix_words, level_words, reason_words
from core.wording.learnable import CHECKS, FIXES

ROOT = Path(__file__).parents[2]
QWEN = spec_of("Qwen/Qwen2.5-7B-Instruct")
STARTER = spec_of("smollm2-135m-instruct")
RUSSIAN = "Чтобы вернуть деньги, откройте заказ и нажмите на кнопку возврата в самом низу страницы."
CHINESE = "要退款，请打开订单，点击页面底部的退款按钮，然后按照提示填写原因并提交。"
ENGLISH = "To get your money back, open the order and press the button at the bottom of the page, number {n}."


def asked(answer: str, question: str = "How do I get my money back for order {n}?", count: int = 50) -> Any:
    """Rows of one question and one answer."""
    turns = (("user", question), ("assistant", answer))
    return tuple(
        Conversation(tuple(Message(role, text.replace("{n}", str(n))) for role, text in turns), "rows.jsonl", n + 1)
        for n in range(count)
    )


def cleaned_report(rows: int = 20_000, **changes: Any) -> CleanReport:
    """A cleaning that looked for everything and found nothing."""
    steps = tuple(StepReport(step, Cleaning().mode(step), rows, rows) for step in StepName)
    return replace(CleanReport(rows, rows, 0, steps), **changes)


def reporting(step: StepName, reported: int, rows: int = 20_000) -> CleanReport:
    """The same with rows that one step only lists."""
    report = cleaned_report(rows)
    found = replace(StepReport(step, Mode.REPORT, rows, rows), reported=reported)
    return replace(report, steps=tuple(found if one.step is step else one for one in report.steps))


PLAN = TrainingPlan(
    model=QWEN.id, data=("rows.jsonl",), cleaning=Cleaning(), mix=(Mix("general.jsonl"),), save_every=100
)
REPORT = DataReport(
    ("rows.jsonl",), 20_000, 20_000, Shape.ALPACA, preview=asked(ENGLISH), shapes={"alpaca": 20_000},
    tokens={"total": 4_000_000, "mean": 200, "shortest": 20, "median": 190, "p95": 400, "p99": 500, "longest": 900},
    tokens_exact=True, lengths=((448, 19_000), (960, 1000)), by_file=(20_000,), kept=20_000,
)  # fmt: skip


def counted(**changes: int) -> TokenTotals:
    """What the engine counted."""
    return replace(TokenTotals(number=1, rows=20_000, tokens=4_000_000, longest=900), **changes)


@dataclass(frozen=True)
class Case:
    """What is known; the default is a run with nothing to say against it."""

    plan: TrainingPlan = PLAN
    report: DataReport = REPORT
    model: Any = QWEN
    cleaned: CleanReport | None = field(default_factory=cleaned_report)
    more: dict[str, Any] = field(default_factory=dict)

    def checks(self) -> tuple[Check, ...]:
        """Judge it."""
        return will_it_learn(self.plan, self.report, self.model, self.cleaned, **self.more)

    def find(self, code: str) -> Check | None:
        """The check with a code."""
        return next((check for check in self.checks() if check.code == code), None)

    def of_plan(self, **changes: Any) -> "Case":
        """The same with another plan."""
        return replace(self, plan=replace(self.plan, **changes))

    def of_report(self, **changes: Any) -> "Case":
        """The same with another report."""
        return replace(self, report=replace(self.report, **changes))

    def few(self, rows: int, **plan: Any) -> "Case":
        """The same with so few rows."""
        tokens = self.report.tokens | {"total": 200 * rows}
        lengths = ((960, rows),)
        changed = self.of_report(
            rows=rows, usable=rows, by_file=(rows,), kept=rows, tokens=tokens, lengths=lengths, shapes={"alpaca": rows}
        )
        return replace(changed.of_plan(save_every=5, **plan), cleaned=cleaned_report(rows))


GOOD = Case()
TWO = GOOD.of_plan(data=("rows.jsonl", "more.jsonl")).of_report(files=("rows.jsonl", "more.jsonl"), by_file=(20_000, 0))
UNCLEANED = replace(GOOD.of_plan(cleaning=None).of_report(kept=None), cleaned=None)
SHORT_PLAN: dict[str, Any] = {"batch": 4, "accumulation": 4, "epochs": 3.0}


def same_answer(share: float, kind: SetKind = SetKind.TALK) -> CleanReport:
    """A cleaning that found one answer in so large a share of the rows."""
    often = int(20_000 * share)
    touch = Touch(StepName.SAME_ANSWER, Effect.REPORTED, RowRef("rows.jsonl", 1, "0" * 16), str(often))
    report = reporting(StepName.SAME_ANSWER, often)
    steps = tuple(replace(s, touches=(touch,)) if s.step is StepName.SAME_ANSWER else s for s in report.steps)
    return replace(report, steps=steps, kind=kind)


#: Code, level, a case that has it; none of them has a check in the good case (but for those that are good).
ON: list[tuple[str, Level, Case]] = [
    ("learn_nothing_trained", Level.BLOCKER,
     replace(GOOD.of_plan(tokens=64), more={"counted": counted(skipped=20_000)})),
    ("learn_failed", Level.BLOCKER, replace(GOOD, more={"counted": counted(trained=9**6, failed=1)})),
    ("learn_endless", Level.BLOCKER, replace(GOOD, more={"counted": counted(trained=9**6, endless=1)})),
    ("learn_warmup_only", Level.BLOCKER, GOOD.of_plan(steps=1)),
    ("learn_rejected", Level.NOTE, GOOD.of_report(rejected=5, rows=20_005)),
    ("learn_rejected", Level.WARNING, GOOD.of_report(rejected=5000, rows=25_000)),
    ("learn_incomplete", Level.WARNING, GOOD.of_report(complete=False)),
    ("learn_file_empty", Level.WARNING, TWO),
    ("learn_mixed_shapes", Level.NOTE, GOOD.of_report(shapes={"alpaca": 5, "messages": 19_995})),
    ("learn_running_text", Level.NOTE, GOOD.of_report(shapes={"document": 20_000})),
    ("learn_mix_large", Level.WARNING, GOOD.of_plan(mix=(Mix("general.jsonl", 0.6),))),
    ("learn_no_general", Level.NOTE, GOOD.of_plan(mix=())),
    ("learn_skipped", Level.WARNING, replace(GOOD.of_plan(tokens=448), more={
        "counted": counted(trained=9**6, truncated=5, skipped=7)})),
    ("learn_cut", Level.NOTE, GOOD.of_plan(tokens=448)),
    ("learn_cut", Level.WARNING, GOOD.of_plan(tokens=400)),
    ("learn_cut", Level.WARNING, replace(GOOD.of_plan(tokens=400), model=replace(QWEN, context=400))),
    ("learn_beyond_context", Level.WARNING, replace(GOOD, model=replace(QWEN, context=448))),
    ("learn_context_uncounted", Level.NOTE, replace(GOOD.of_report(tokens={}), model=replace(QWEN, context=448))),
    ("learn_trained_few", Level.NOTE, replace(GOOD, more={"counted": counted(trained=1999)})),
    ("learn_prompts_long", Level.NOTE, GOOD.of_report(preview=asked("yes", "word " * 500))),
    ("learn_steps_few", Level.WARNING, GOOD.few(100, **SHORT_PLAN)),
    ("learn_steps_few", Level.WARNING, GOOD.of_plan(steps=49)),
    ("learn_one_step", Level.WARNING, GOOD.few(30, batch=8, accumulation=8, epochs=10)),
    ("learn_epochs_many", Level.WARNING, GOOD.of_plan(epochs=10.5)),
    ("learn_epochs_many", Level.WARNING, GOOD.of_plan(steps=20_000)),
    ("learn_epochs_many", Level.WARNING, GOOD.of_plan(stages=(TrainingStage(("rows.jsonl",), 11.0),))),
    ("learn_rows_unseen", Level.NOTE, GOOD.of_plan(epochs=0.5)),
    ("learn_rows_unseen", Level.NOTE, GOOD.of_plan(steps=200)),
    ("learn_not_cleaned", Level.NOTE, UNCLEANED),
    ("learn_exact", Level.NOTE, UNCLEANED.of_report(duplicates=10)),
    ("learn_exact", Level.WARNING, UNCLEANED.of_report(duplicates=5000)),
    ("learn_template", Level.WARNING,
     UNCLEANED.of_report(preview=asked("### Response: Open the order and press the button below, please. {n}"))),
    *((f"learn_{step}", Level.NOTE, replace(
        GOOD.of_plan(cleaning=Cleaning((Switch(step, Mode.REPORT),))), cleaned=reporting(step, 1)))
      for step in StepName if step not in (StepName.LONG, StepName.SAME_ANSWER)),
    *((f"learn_{step}", Level.WARNING, replace(
        GOOD.of_plan(cleaning=Cleaning((Switch(step, Mode.REPORT),))), cleaned=reporting(step, 5000)))
      for step in (StepName.LOOP, StepName.NEAR, StepName.GARBLED, StepName.SHORT, StepName.LANGUAGE)),
    ("learn_same_answer", Level.NOTE, replace(GOOD, cleaned=same_answer(0.1))),
    ("learn_same_answer", Level.WARNING, replace(GOOD, cleaned=same_answer(0.4))),
    ("learn_one_answer", Level.WARNING, replace(GOOD, cleaned=same_answer(0.6))),
    ("learn_one_answer", Level.WARNING, UNCLEANED.of_report(preview=asked("I do not know what to say to that."))),
    ("learn_one_answer", Level.WARNING, UNCLEANED.of_report(preview=asked("yes"))),
    ("learn_short_answers", Level.NOTE, replace(GOOD, cleaned=cleaned_report(kind=SetKind.SHORT_ANSWERS, short=0.9))),
    ("learn_short_answers", Level.NOTE, UNCLEANED.of_report(preview=asked("answer {n}"))),
    ("learn_model_language", Level.NOTE, GOOD.of_report(preview=asked(RUSSIAN))),
    ("learn_model_language", Level.WARNING,
     replace(GOOD.of_report(preview=asked(CHINESE)), model=spec_of("mistralai/Mixtral-8x7B-Instruct-v0.1"))),
    ("learn_model_language", Level.NOTE, replace(GOOD.of_report(preview=asked(CHINESE)), model=STARTER)),
    ("learn_template_fallback", Level.NOTE, replace(GOOD, more={"template": TemplateFacts(fallback=True)})),
    ("learn_template_open", Level.NOTE, replace(GOOD, more={"template": TemplateFacts(ends=False)})),
    ("learn_no_validation", Level.WARNING, GOOD.of_plan(validation_share=0.0)),
    ("learn_validation_too_few", Level.NOTE, GOOD.few(19, validation_share=0.0)),
    ("learn_validation_small", Level.NOTE, GOOD.few(60)),
    ("learn_validation_small", Level.NOTE,
     replace(GOOD.of_plan(validation="held.jsonl"), more={"checked": 3})),
    ("learn_validation_same", Level.WARNING, GOOD.of_plan(validation="rows.jsonl")),
    ("learn_validation_once", Level.NOTE, GOOD.of_plan(evaluate_every=100_000)),
    ("learn_validation_once", Level.NOTE, GOOD.of_plan(save_every=100_000)),
    ("learn_overlap", Level.NOTE,
     replace(GOOD.of_plan(validation="held.jsonl"), more={"checked": 100, "shared": 3})),
    ("learn_overlap", Level.WARNING,
     replace(GOOD.of_plan(validation="held.jsonl"), more={"checked": 100, "shared": 50})),
    ("learn_rate_high", Level.NOTE, GOOD.of_plan(learning_rate=6e-4)),
    ("learn_rate_high", Level.WARNING, GOOD.of_plan(learning_rate=2e-3)),
    ("learn_rate_high", Level.WARNING, replace(GOOD.of_plan(learning_rate=5e-3), model=STARTER)),
    ("learn_rate_low", Level.NOTE, GOOD.of_plan(learning_rate=4e-5)),
    ("learn_rate_low", Level.WARNING, GOOD.of_plan(learning_rate=9e-6)),
    ("learn_rank_small", Level.NOTE, GOOD.of_plan(rank=1, alpha=1)),
    ("learn_rank_large", Level.NOTE, GOOD.few(900, rank=128, alpha=256)),
    ("learn_dropout_none", Level.NOTE, GOOD.few(900, dropout=0.0)),
    ("learn_warmup_long", Level.NOTE, GOOD.of_plan(warmup=0.3)),
    ("danger_over_regularised", Level.WARNING, GOOD.of_plan(rank=300, alpha=600, dropout=0.3)),
    ("danger_alpha_below_rank", Level.WARNING, GOOD.of_plan(alpha=8)),
    ("danger_spread_thin", Level.WARNING, GOOD.of_plan(rank=4, targets="full")),
    ("danger_learning_rate", Level.WARNING, GOOD.of_plan(method=Method.QLORA, learning_rate=6e-4)),
    ("rows_few", Level.NOTE, GOOD.few(1000)),
    ("rows_few", Level.WARNING, GOOD.few(999)),
    ("rows_clear_gain", Level.GOOD, GOOD),
    ("rows_beyond", Level.GOOD, GOOD.few(200_000)),
    ("length_whole", Level.GOOD, GOOD),
    ("learn_trained", Level.GOOD, GOOD),
    ("learn_steps_good", Level.GOOD, GOOD),
    ("learn_clean", Level.GOOD, GOOD),
    ("learn_validation_good", Level.GOOD, GOOD),
]  # fmt: skip
#: Codes that stand alone: there is no row, so nothing else is judged.
ALONE: list[tuple[str, Case]] = [
    ("learn_no_rows", GOOD.of_report(rows=3, usable=0, kept=None, rejected=3, by_file=(0,))),
    ("learn_cleaned_away", replace(GOOD.of_report(kept=0, by_file=(0,)), cleaned=replace(
        cleaned_report(), kept=0, steps=(StepReport(StepName.SHORT, Mode.ACT, 20_000, 0, dropped=20_000),)))),
]  # fmt: skip
#: Codes whose fix is another file or another model, which no button can give.
UNFIXED = {
    "learn_no_rows", "learn_failed", "learn_endless", "learn_rejected", "learn_incomplete", "learn_mixed_shapes",
    "learn_running_text", "learn_no_general", "learn_trained_few", "learn_prompts_long", "learn_same_answer",
    "learn_one_answer", "learn_short_answers", "learn_model_language", "learn_template_fallback",
    "learn_template_open", "learn_validation_too_few", "rows_few",
}  # fmt: skip


def test_a_good_run_hears_only_good_things() -> None:
    found = GOOD.checks()
    assert {check.level for check in found} == {Level.GOOD}
    assert len(found) >= 6
    assert not blocked(found)


@pytest.mark.parametrize(("code", "level", "case"), ON)
def test_each_check_speaks_when_it_should(code: str, level: Level, case: Case) -> None:
    check = case.find(code)
    assert check is not None, [one.code for one in case.checks()]
    assert check.level is level
    assert check.source
    words = reason_words(check.reason)
    assert words[-1] == "."
    assert "{" not in words


@pytest.mark.parametrize("code", sorted({code for code, level, _case in ON if level is not Level.GOOD}))
def test_and_is_silent_otherwise(code: str) -> None:
    assert GOOD.find(code) is None


@pytest.mark.parametrize(("code", "case"), ALONE)
def test_without_a_row_nothing_else_is_said(code: str, case: Case) -> None:
    (check,) = case.checks()
    assert (check.code, check.level) == (code, Level.BLOCKER)
    assert blocked((check,))


def test_every_code_has_a_case_and_every_sentence_a_code() -> None:
    codes = {code for code, _level, _case in ON} | {code for code, _case in ALONE}
    assert {code.value for code in CheckCode} <= codes
    assert set(CHECKS) == {code.value for code in CheckCode}


@pytest.mark.parametrize(("code", "level", "case"), [row for row in ON if row[1] is not Level.GOOD])
def test_a_fix_ends_the_check_or_makes_it_less_grave(code: str, level: Level, case: Case) -> None:
    check = case.find(code)
    assert check is not None
    if check.fix is None:
        return
    told = fix_words(check.fix.name, check.fix.facts)
    assert check.fix.name in FIXES
    assert told
    assert told != check.fix.name
    fixed = replace(case, plan=check.fix.plan)
    # what was counted of the rows is counted anew
    fixed = replace(fixed, more={name: value for name, value in case.more.items() if name == "template"})
    left = fixed.find(code)
    assert left is None or list(Level).index(left.level) > list(Level).index(level)


def test_a_set_that_cleaning_emptied_comes_back_with_the_fix() -> None:
    (check,) = ALONE[1][1].checks()
    assert check.fix is not None
    assert check.fix.plan.cleaning is not None
    assert check.fix.plan.cleaning.mode(StepName.SHORT) is Mode.OFF


@pytest.mark.parametrize("code", sorted({code for code, level, _case in ON if level is not Level.GOOD} - UNFIXED))
def test_what_can_be_put_right_by_a_click_has_a_button(code: str) -> None:
    cases = [case for name, _level, case in ON if name == code]
    assert any((check := case.find(code)) and check.fix for case in cases)


@pytest.mark.parametrize(("code", "_level", "case"), ON)
def test_fixing_one_thing_after_the_other_comes_to_an_end(code: str, _level: Level, case: Case) -> None:
    seen = set()
    case = replace(case, more={name: value for name, value in case.more.items() if name != "counted"})
    for _round in range(25):
        check = next((one for one in case.checks() if one.fix and one.fix.plan not in seen), None)
        if check is None:
            break
        assert check.fix is not None
        seen.add(case.plan)
        case = replace(case, plan=check.fix.plan)
    assert _round < 24
    assert not blocked(case.checks())


def test_the_worst_comes_first() -> None:
    case = GOOD.of_plan(steps=1, validation_share=0.0, learning_rate=4e-5)
    levels = [list(Level).index(check.level) for check in case.checks()]
    assert levels == sorted(levels)
    assert case.checks()[0].code == CheckCode.WARMUP_ONLY
    assert {Level.BLOCKER, Level.WARNING, Level.NOTE, Level.GOOD} == {check.level for check in case.checks()}


@pytest.mark.parametrize(
    ("changes", "steps"),
    [({}, 3960), ({"steps": 77}, 77), ({"mix": ()}, 3564), ({"stages": (TrainingStage(("rows.jsonl",), 1.0),)}, 1320)],
)
def test_steps_are_counted_as_the_run_will_take_them(changes: dict[str, Any], steps: int) -> None:
    check = GOOD.of_plan(**changes).find(CheckCode.STEPS_GOOD)
    assert check is not None
    assert check.facts["steps"] == steps


def test_rows_are_those_that_cleaning_keeps_of_the_files_in_the_plan() -> None:
    few = GOOD.of_report(kept=900, by_file=(900,)).find(ReasonCode.ROWS_FEW)
    assert few is not None
    assert few.facts["rows"] == 900
    one = TWO.of_plan(data=("rows.jsonl",)).of_report(by_file=(500, 19_500)).find(ReasonCode.ROWS_FEW)
    assert one is not None
    assert one.facts["rows"] == 500


def test_labels_may_repeat_but_not_be_nearly_all_the_same() -> None:
    half = asked("yes", count=25) + asked("no", count=5)
    assert UNCLEANED.of_report(preview=half).find(CheckCode.ONE_ANSWER) is None
    most = asked("yes", count=29) + asked("no", count=1)
    assert UNCLEANED.of_report(preview=most).find(CheckCode.ONE_ANSWER) is not None


def test_the_starter_model_keeps_its_own_settings() -> None:
    case = replace(GOOD.few(200, learning_rate=1e-3, dropout=0.0, batch=4, accumulation=1), model=STARTER)
    assert case.find(CheckCode.RATE_HIGH) is None
    assert case.find(CheckCode.DROPOUT_NONE) is None


def test_chinese_data_suits_a_chinese_model() -> None:
    assert GOOD.of_report(preview=asked(CHINESE)).find(CheckCode.MODEL_LANGUAGE) is None


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("model", [STARTER, QWEN])
def test_a_sample_as_recommended_is_not_blocked(language: str, model: Any) -> None:
    sample = str(ROOT / "resources" / "samples" / f"support_{language}.jsonl")
    report = inspect_files((sample,), count=RowLengths())
    found = will_it_learn(make_plan(model, None, report, None), report, model)
    assert not blocked(found)
    assert [check.code for check in found if check.level is Level.WARNING] == [ReasonCode.ROWS_FEW]


def test_a_messy_file_is_told_and_mended(tmp_path: Path) -> None:
    lines = [
        {"instruction": f"Where is order {n}?", "output": ENGLISH.format(n=n) + f" Then wait {n} days."}
        for n in range(300)
    ]
    lines += lines[:60]
    lines += [{"instruction": f"Hello {n}?", "output": "Yes. " * 60} for n in range(5)]
    lines += [
        {"instruction": f"Format {n}?", "output": f"<|im_start|>assistant\nOrder {n}<|im_end|>"} for n in range(9)
    ]
    lines += [{"instruction": f"Whom do I call about {n}?", "output": "Call Ms Li, 13812345678."} for n in range(3)]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    listing = Cleaning(tuple(Switch(step, Mode.REPORT) for step in StepName))
    plan = TrainingPlan(model=QWEN.id, data=(str(file),), cleaning=listing, save_every=10)
    wanted = {"learn_loop", "learn_template", "learn_exact", "learn_private"}
    for _round in range(len(StepName)):
        report, cleaned, _private = examine(plan.data, plan.cleaning, count=RowLengths())
        found = will_it_learn(plan, report, QWEN, cleaned)
        left = [check for check in found if check.fix and check.about in set(StepName)]
        if _round == 0:
            assert wanted <= {check.code for check in found}
        if not left:
            break
        assert left[0].fix is not None
        plan = left[0].fix.plan
    assert not left
    assert CheckCode.CLEAN in [check.code for check in found]
    assert report.learned == 303


@pytest.mark.parametrize(
    ("behind", "facts"),
    [
        ("<|im_end|>\n", TemplateFacts(fallback=False, ends=True)),
        ("\n", TemplateFacts(fallback=False, ends=False)),
    ],
)
def test_a_template_is_asked_whether_it_ends_answers(tmp_path: Path, behind: str, facts: TemplateFacts) -> None:
    (tmp_path / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '"
        + behind.replace("\n", "\\n")
        + "' }}{% endfor %}"
    )
    assert template_facts(tmp_path) == facts


def test_a_folder_without_a_template_falls_back_and_a_broken_one_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    assert template_facts(tmp_path) == TemplateFacts(fallback=True, ends=True)
    (tmp_path / "chat_template.jinja").write_text("{% for %}")
    assert template_facts(tmp_path) is None


def test_it_answers_at_once() -> None:
    case = UNCLEANED.of_report(preview=asked(CHINESE * 100))
    case.checks()
    taken = []
    for _round in range(20):
        start = time.perf_counter()
        case.checks()
        taken.append(time.perf_counter() - start)
    # 2 ms is the aim; a busy computer gets some more
    assert min(taken) < 0.004


def test_it_loads_nothing_heavy() -> None:
    code = (
        "import core.learnable, sys; print(*({'torch', 'transformers', 'numpy', 'jinja2', 'ftfy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == ""


def test_checks_are_plain_values() -> None:
    case = GOOD.of_plan(alpha=8, validation_share=0.0)
    assert '"danger_alpha_below_rank"' in dumps(case.checks())
    assert [level_words(level) for level in Level] == ["Must be put right", "Warning", "Good to know", "Good"]
    set_language("zh")
    try:
        assert all(reason_words(check.reason) for check in case.checks())
    finally:
        set_language("en")


_PLANS = st.builds(
    TrainingPlan,
    model=st.just("any"), data=st.sampled_from([("a",), ("a", "b")]), method=st.sampled_from(Method),
    rank=st.integers(1, 2048), alpha=st.integers(1, 8192), targets=st.sampled_from(["full", "minimal", "x", "fc1,x"]),
    dropout=st.floats(0, 0.5), learning_rate=st.floats(1e-7, 1.0), epochs=st.floats(0.01, 1000),
    steps=st.integers(0, 10**7), batch=st.integers(1, 4096), accumulation=st.integers(1, 4096),
    tokens=st.integers(16, 10**6), warmup=st.floats(0, 0.5), validation=st.sampled_from(["", "a", "c"]),
    validation_share=st.floats(0, 0.5), evaluate_every=st.integers(0, 10**7), save_every=st.integers(1, 10**7),
    mix=st.sampled_from([(), (Mix("m", 0.9),), (Mix("m"), Mix("n", 0.002))]),
    cleaning=st.none() | st.builds(
        lambda modes: Cleaning(tuple(map(Switch, StepName, modes))),
        st.lists(st.sampled_from(Mode), min_size=len(StepName), max_size=len(StepName)),
    ),
)  # fmt: skip
_TEXTS = st.text(max_size=40)
_ROWS = st.builds(
    lambda texts, running: Conversation(
        (Message("text", texts[0]),) if running else tuple(Message(["user", "assistant"][n % 2], t)
                                                           for n, t in enumerate(texts))),
    st.lists(_TEXTS, min_size=1, max_size=4), st.booleans(),
)  # fmt: skip


@st.composite
def _reports(draw: Callable[[Any], Any]) -> DataReport:
    first, second, rejected = (draw(st.integers(0, 10**6)) for _ in range(3))
    rows = first + second
    lengths = tuple(sorted(draw(st.dictionaries(st.integers(1, 10**5), st.integers(1, 10**6), max_size=4)).items()))
    tokens = {"total": draw(st.integers(0, 10**9)), "longest": lengths[-1][0]} if lengths else {}
    return DataReport(
        ("a", "b"), rows + rejected, rows, Shape.ALPACA, rejected=rejected, duplicates=draw(st.integers(0, rows)),
        preview=tuple(draw(st.lists(_ROWS, max_size=12))), complete=draw(st.booleans()), tokens=tokens,
        tokens_exact=draw(st.booleans()), lengths=lengths, by_file=draw(st.sampled_from([(), (first, second)])),
        shapes=draw(st.sampled_from([{}, {"alpaca": rows}, {"document": 1, "text": 2}])),
        kept=draw(st.none() | st.integers(0, rows)),
    )  # fmt: skip


@st.composite
def _cleanings(draw: Callable[[Any], Any]) -> CleanReport:
    rows = draw(st.integers(0, 10**6))
    touch = Touch(
        StepName.SAME_ANSWER, Effect.REPORTED, RowRef("f", 1, "k"), draw(st.sampled_from(["7", "²", "x", ""]))
    )
    steps = tuple(
        StepReport(step, draw(st.sampled_from(Mode)), rows, rows, reported=draw(st.integers(0, rows)), touches=(touch,))
        for step in draw(st.sets(st.sampled_from(StepName)))
    )
    kind, short = draw(st.sampled_from(SetKind)), draw(st.floats(0, 1))
    return CleanReport(rows, draw(st.integers(0, rows)), 0, steps, kind, short)


@given(
    plan=_PLANS, report=_reports(), cleaned=st.none() | _cleanings(), model=st.sampled_from([None, *models()]),
    checked=st.none() | st.integers(0, 10**6), shared=st.none() | st.integers(0, 10**6),
    counted=st.none() | st.builds(TokenTotals, number=st.just(1), **dict.fromkeys(
        ("rows", "tokens", "trained", "truncated", "skipped", "endless", "failed", "longest"), st.integers(0, 10**7))),
    template=st.none() | st.builds(TemplateFacts, st.booleans(), st.booleans()),
)  # fmt: skip
def test_nothing_that_is_known_can_make_it_fail(
    plan: TrainingPlan, report: DataReport, cleaned: CleanReport | None, model: Any, **more: Any
) -> None:
    found = will_it_learn(plan, report, model, cleaned, **more)
    levels = [list(Level).index(check.level) for check in found]
    assert levels == sorted(levels)
    assert len({check.code for check in found if check.code != CheckCode.FILE_EMPTY}) == len(
        [check for check in found if check.code != CheckCode.FILE_EMPTY]
    )
    for check in found:
        words = reason_words(check.reason)
        assert words != check.code.replace("_", " ")
        assert all(0 <= value <= 1 for name, value in check.facts.items() if name == "share")
        if check.fix is not None:
            assert fix_words(check.fix.name, check.fix.facts) not in ("", check.fix.name)
            assert check.fix.plan != plan


@given(
    plan=_PLANS, report=_reports(), cleaned=st.none() | _cleanings(), model=st.sampled_from([None, *models()]),
    checked=st.none() | st.integers(0, 10**6),
)  # fmt: skip
def test_whatever_is_wrong_a_fix_makes_it_better(
    plan: TrainingPlan, report: DataReport, cleaned: CleanReport | None, model: Any, checked: int | None
) -> None:
    levels = list(Level)
    before = will_it_learn(plan, report, model, cleaned, checked=checked)
    for check in before:
        if check.fix is None or check.fix.name in ("fix_cleaning_off", "fix_remove_file", "fix_leave_out_long"):
            # the rows have to be read anew
            continue
        after = will_it_learn(check.fix.plan, report, model, cleaned, checked=checked)
        assert blocked(before) or not blocked(after)
        same = next((one for one in after if one.code == check.code), None)
        assert same is None or levels.index(same.level) > levels.index(check.level)


def test_a_few_very_long_rows_are_left_out_rather_than_paid_for() -> None:
    outlier = GOOD.of_plan(tokens=960).of_report(
        tokens=REPORT.tokens | {"longest": 14_000}, lengths=((448, 19_000), (960, 990), (14_336, 10))
    )
    check = outlier.find(CheckCode.CUT)
    assert check is not None
    assert check.fix is not None
    assert check.fix.name == "fix_leave_out_long"
    many = outlier.of_plan(tokens=256).find(CheckCode.CUT)
    assert many is not None
    assert many.fix is not None
    assert many.fix.plan.tokens == 960


def test_a_row_or_two_are_never_a_warning() -> None:
    case = replace(GOOD.few(100, cleaning=Cleaning(())), cleaned=reporting(StepName.LOOP, 2, 100))
    check = case.find(CheckCode.LOOP)
    assert check is not None
    assert check.level is Level.NOTE
