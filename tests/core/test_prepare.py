"""From files to training rows: cleaned, mixed, split without leaks, in stages; the arithmetic beside it agrees."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.catalog import STARTER, spec_of
from core.codec import from_plain
from core.commands import Command
from core.data.clean import Cleaning, CleanReport, Mode, StepName
from core.data.clean.overlap import groups, overlap
from core.data.clean.written import REPORT, ROWS, read_report
from core.data.columns import Columns
from core.data.inspect import inspect_files, read_conversations
from core.data.lengths import RowLengths
from core.data.portions import portions
from core.data.prepare import Prepared, examine, prepare
from core.data.private import Kind
from core.data.rows import Conversation, DataReport
from core.data.source import Halted
from core.events import Event, StageName
from core.jobs.jobs import InspectJob
from core.jobs.talk import StopAsked
from core.plan import Mix, TrainingPlan, TrainingStage
from core.planning import checking_rows, plan_for, rows_in, total_steps, training_rows
from core.wizard import WizardState, choose_data

WORDS = [
    "apple", "bridge", "cloud", "desert", "engine", "forest", "garden", "hammer", "island", "jacket", "kettle",
    "ladder", "mirror", "needle", "orange", "pencil", "quarry", "ribbon", "saddle", "tunnel", "umbrella", "valley",
]  # fmt: skip

Pairs = Sequence[tuple[str, str]]
Write = Callable[[str, Pairs], str]


def pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """Questions and answers that have nothing in common but the words."""
    chance = random.Random(seed)
    return [(" ".join(chance.choices(WORDS, k=12)), " ".join(chance.choices(WORDS, k=20))) for _ in range(count)]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, rows: Pairs) -> str:
        text = "".join(json.dumps({"instruction": asked, "output": answer}) + "\n" for asked, answer in rows)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return written


def plan_of(*data: str, **more: object) -> TrainingPlan:
    return TrainingPlan("model", data, **more)  # type: ignore[arg-type]


def said(rows: Sequence[Conversation]) -> list[tuple[str, str]]:
    return [(row.messages[0].content, row.messages[1].content) for row in rows]


def agrees(plan: TrainingPlan, found: Prepared) -> None:
    """The arithmetic of the plan page counts what training gets."""
    counted = portions(plan, found.report.by_file)
    assert [(stage.rows, stage.epochs) for stage in counted] == [
        (len(stage.rows), stage.epochs) for stage in found.stages
    ]
    assert training_rows(plan, found.report.by_file) == len(found.train)
    if not plan.validation:
        assert checking_rows(plan, found.report.by_file) == len(found.validation)


def test_nothing_asked_for_gives_the_rows_as_they_are(write: Write) -> None:
    data = write("a.jsonl", pairs(40, 1))
    found = prepare(plan_of(data, validation_share=0.0))
    rows, report = read_conversations((data,))
    assert found.train == rows and found.report == report and not found.validation and found.clean_report is None


def test_near_duplicates_and_pieces_of_one_conversation_never_straddle(write: Write) -> None:
    chance = random.Random(0)
    rows = pairs(60, 1)
    rows += [(asked, f"{answer} {chance.choice(WORDS)}") for asked, answer in rows[:40]]
    rows += [(asked, " ".join(chance.choices(WORDS, k=20))) for asked, _answer in rows[:20]]
    plan = plan_of(write("a.jsonl", rows), validation_share=0.3)
    found = prepare(plan)
    assert 25 <= len(found.validation) <= 36
    shared = overlap(found.train, found.validation)
    assert (shared.exact, shared.near) == (0, 0)
    assert not {asked for asked, _ in said(found.train)} & {asked for asked, _ in said(found.validation)}
    everything = [*found.train, *found.validation]
    of = groups(everything)
    assert not set(of[: len(found.train)]) & set(of[len(found.train) :])
    assert prepare(plan) == found


def test_the_split_hangs_on_the_seed_and_every_file_gives_its_part(write: Write) -> None:
    data = write("large.jsonl", pairs(180, 1)), write("small.jsonl", pairs(20, 2))
    plan = plan_of(*data, validation_share=0.1)
    found = prepare(plan)
    assert [sum(row.file == name for row in found.validation) for name in data] == [18, 2]
    other = prepare(replace(plan, seed=1))
    assert said(other.validation) != said(found.validation) and len(other.validation) == 20
    agrees(plan, found)


def test_a_validation_file_loses_what_training_has_too(write: Write) -> None:
    rows = pairs(30, 1)
    near = [(rows[3][0], rows[3][1] + " also")]
    checks = write("checks.jsonl", [*pairs(10, 2), *rows[:2], *near])
    found = prepare(plan_of(write("a.jsonl", rows), validation=checks))
    assert (len(found.train), len(found.validation), found.shared) == (30, 10, 3)


def test_a_mix_is_the_share_that_was_asked_for_and_leaks_nothing(write: Write) -> None:
    own = pairs(90, 1)
    plan = plan_of(
        write("a.jsonl", own), mix=(Mix(write("general.jsonl", [*pairs(500, 2), *own]), 0.1),), validation_share=0.1
    )
    found = prepare(plan)
    general = [row for row in found.train if row.file.endswith("general.jsonl")]
    assert (len(found.train), len(general), found.mixed, found.mixed_wanted) == (90, 9, 9, 9)
    assert not {row.messages for row in general} & {row.messages for row in found.validation}
    agrees(plan, found)
    assert prepare(plan) == found


def test_a_mix_that_is_too_small_gives_what_it_has(write: Write) -> None:
    plan = plan_of(write("a.jsonl", pairs(90, 1)), mix=(Mix(write("g.jsonl", pairs(5, 2)), 0.5),), validation_share=0.0)
    found = prepare(plan)
    assert (len(found.train), found.mixed, found.mixed_wanted) == (95, 5, 90)
    assert portions(plan, (90,), {plan.mix[0].file: 5})[0].rows == 95


def test_weights_repeat_and_thin_out(write: Write) -> None:
    data = write("a.jsonl", pairs(40, 1)), write("b.jsonl", pairs(20, 2))
    plan = plan_of(*data, weights=(0.25, 2.5), validation_share=0.0)
    found = prepare(plan)
    counts = {name: [row.line for row in found.train if row.file == name] for name in data}
    assert (len(counts[data[0]]), len(set(counts[data[0]]))) == (10, 10)
    assert (len(counts[data[1]]), len(set(counts[data[1]]))) == (50, 20)
    agrees(plan, found)


def test_stages_hold_their_files_in_their_order(write: Write) -> None:
    basic, expert = write("basic.jsonl", pairs(40, 1)), write("expert.jsonl", pairs(20, 2))
    stages = (TrainingStage((basic,), 2.0), TrainingStage((expert, basic), 0.5))
    plan = plan_of(basic, expert, stages=stages, mix=(Mix(write("g.jsonl", pairs(50, 3)), 0.2),), validation_share=0.1)
    found = prepare(plan)
    assert [{Path(row.file).name for row in stage.rows} for stage in found.stages] == [
        {"basic.jsonl", "g.jsonl"}, {"basic.jsonl", "expert.jsonl", "g.jsonl"},
    ]  # fmt: skip
    agrees(plan, found)
    # (36 + 9) x 2 + (54 + 14) / 2 rows in steps of 16
    assert total_steps(plan, found.report.by_file) == 8


def test_cleaned_rows_and_their_report_are_kept_and_the_file_is_not_touched(write: Write, tmp_path: Path) -> None:
    rows = [*pairs(20, 1), *pairs(20, 1)[:5], ("What is the number of the office?", "Please call 13812345678 at once.")]
    data = write("a.jsonl", rows)
    before = Path(data).read_bytes()
    cleaning = Cleaning().switched(StepName.PRIVATE, Mode.ACT)
    plan = plan_of(data, cleaning=cleaning, validation_share=0.1)
    found = prepare(plan, folder=tmp_path / "run" / "data")
    assert Path(data).read_bytes() == before
    assert (found.report.usable, found.report.kept, found.report.learned) == (26, 21, 21)
    assert len(found.train) + len(found.validation) == 21
    agrees(plan, found)
    kept, _report = read_conversations((str(tmp_path / "run" / "data" / ROWS),))
    assert sorted(said(kept)) == sorted(said([*found.train, *found.validation]))
    assert "13812345678" not in "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "run" / "data").iterdir())
    assert read_report(tmp_path / "run" / "data") == json_round(found, tmp_path)


def json_round(found: Prepared, tmp_path: Path) -> object:
    """The report as the run folder has it: where private data is masked, in the report too."""
    assert found.clean_report is not None and (tmp_path / "run" / "data" / REPORT).is_file()
    steps = tuple(
        replace(step, touches=tuple(replace(touch, before="") for touch in step.touches))
        if step.step is StepName.PRIVATE
        else step
        for step in found.clean_report.steps
    )
    return replace(found.clean_report, steps=steps)


def test_columns_and_passages_reach_training(write: Write, tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"alpha": "What?", "beta": "That."}\n' * 2)
    found = prepare(plan_of(str(tmp_path / "odd.jsonl"), columns=Columns("alpha", "beta"), validation_share=0.0))
    assert said(found.train) == [("What?", "That.")] * 2
    (tmp_path / "book.txt").write_text("One sentence after the other. " * 40)
    found = prepare(plan_of(str(tmp_path / "book.txt"), passage=200, validation_share=0.0))
    assert len(found.train) > 3 and all(row.is_running for row in found.train)


def test_asked_to_stop_it_halts(write: Write) -> None:
    plan = plan_of(write("a.jsonl", pairs(20, 1)))
    for after in (0, 1, 5, 30):
        calls = iter(range(10_000))
        with pytest.raises(Halted):
            prepare(plan, stopped=lambda calls=calls, after=after: next(calls) >= after)


def test_examine_tells_what_prepare_would_do(write: Write, tmp_path: Path) -> None:
    rows = [
        *pairs(30, 1),
        *pairs(30, 1)[:6],
        ("Who writes?", "Mail anna@mail.com or bob@mail.com, or call 13812345678."),
    ]
    data = write("a.jsonl", rows), write("b.jsonl", pairs(10, 2))
    out = tmp_path / "clean.jsonl"
    report, cleaned, private = examine(data, Cleaning(), count=RowLengths(), keep=out)
    found = prepare(plan_of(*data, cleaning=Cleaning(), validation_share=0.0))
    assert cleaned == found.clean_report and report.kept == 41 and report.by_file == (31, 10)
    assert sum(rows for _bound, rows in report.lengths) == 41
    assert private == {Kind.EMAIL: 2, Kind.MOBILE: 1}
    assert said(read_conversations((str(out),))[0]) == said(found.train)
    assert [step.step for step in cleaned.findings][:2] == [StepName.PRIVATE, StepName.EXACT]


def test_examine_without_cleaning_is_the_plain_report(write: Write, tmp_path: Path) -> None:
    data = (write("a.jsonl", pairs(20, 1)),)
    plain = inspect_files(data, count=RowLengths())
    assert examine(data, count=RowLengths()) == (plain, None, {})
    assert examine(data, count=RowLengths(), keep=tmp_path / "rows.jsonl") == (plain, None, {})
    assert said(read_conversations((str(tmp_path / "rows.jsonl"),))[0]) == pairs(20, 1)


def test_total_steps_of_a_plain_plan_count_as_before() -> None:
    plan = plan_of("a", "b", batch=4, accumulation=4, epochs=3.0, validation_share=0.05)
    assert (training_rows(plan, 190), total_steps(plan, 190)) == (180, 36)
    assert total_steps(plan, (100, 90)) == 36 and checking_rows(plan, 190) == 10


class Hears:
    """A Talk that keeps what was said and asks to stop from the start on, or never."""

    def __init__(self, *, stop: bool = False) -> None:
        self.stop_requested = stop
        self.said: list[Event] = []

    def emit(self, event: Event) -> None:
        self.said.append(event)

    def next_command(self) -> Command:
        raise AssertionError


def test_the_job_gives_both_reports_over_the_wire(write: Write, tmp_path: Path) -> None:
    data = (write("a.jsonl", [*pairs(20, 1), *pairs(20, 1)[:3]]),)
    job = InspectJob(data, cleaning=Cleaning(), keep=str(tmp_path / "kept.jsonl"))
    talk = Hears()
    told = json.loads(json.dumps(job.run(talk)))
    assert [event.stage for event in talk.said][-2:] == [StageName.CLEANING] * 2
    report, cleaned, _private = examine(data, Cleaning(), count=RowLengths())
    assert from_plain(DataReport, told, strict=False) == report
    assert from_plain(CleanReport, told["clean"]) == cleaned and told["private"] == {}
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == report.kept == 20
    with pytest.raises(StopAsked):
        job.run(Hears(stop=True))


def test_the_wizard_hands_on_how_the_data_was_read(write: Write) -> None:
    data = (write("a.jsonl", [*pairs(60, 1), *pairs(60, 1)[:30]]),)
    cleaning, columns = Cleaning(), Columns("instruction", "output")
    report, _cleaned, _private = examine(data, cleaning, columns=columns)
    state = choose_data(WizardState(model=spec_of(STARTER)), report, cleaning, columns)
    plan = plan_for(state)
    assert (plan.cleaning, plan.columns, plan.passage) == (cleaning, columns, 0)
    assert total_steps(plan, rows_in(report)) == total_steps(plan, 60)
    assert state != choose_data(state, report) and choose_data(state, report).cleaning is None
