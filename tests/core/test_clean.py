"""Cleaning as a whole: counts that add up, nothing lost, everything undone by a switch, the same every time."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from core import codec
from core.data.clean import Cleaning, CleanReport, Effect, Keep, Mode, SetKind, StepName, Switch, row_key
from core.data.clean.cleaning import RECOMMENDED
from core.data.clean.pipeline import clean, cleaned_by
from core.data.clean.written import REPORT, ROWS, TOUCHED, read_report, write_cleaned
from core.data.inspect import read_conversations
from core.data.rows import Conversation, Message
from core.wording.cleaning import STEPS, clean_step_words, effect_words, kind_words, mode_words
from tests.bench.clean import rows as bench_rows

EVERY = Cleaning(tuple(Switch(step, Mode.ACT) for step in StepName))
TEXT = (
    "The harbour lies north of the old town, where the river meets the sea and fishing boats come in at dawn "
    "with herring, cod and crabs."
)


def row(asked, answered, line=1, *more):
    messages = [Message("user", asked), Message("assistant", answered)]
    messages += [Message(("user", "assistant")[place % 2], text) for place, text in enumerate(more)]
    return Conversation(tuple(messages), "rows.jsonl", line)


MESSY = (
    row("Where is the harbour?", TEXT, 1),
    row("Where is the harbour?", TEXT, 2),
    row("Where is the harbour", TEXT + " That is all.", 3),
    row("How do I go there?", "<p>Take the <b>bus</b> to the\u200b sea.</p>", 4),
    row("Menu?", "CafÃ© au lait", 5),
    row("Who can help me?", "Call Anna on 13812345678.", 6),
    row("Tell me more", "...", 7),
    row("Tell me a joke", "As an AI language model, I cannot tell jokes.", 8),
    row("How much is it?", "42", 9),
    row("### Instruction:\nName a fish", "Cod", 10),
)


def cleaned_rows(rows, cleaning):
    with clean(rows, cleaning) as cleaned:
        return list(cleaned), cleaned.report


def test_every_count_adds_up_and_every_row_is_accounted_for():
    with clean(bench_rows(3_000), EVERY) as cleaned:
        report, kept, touches = cleaned.report, list(cleaned), list(cleaned.touches())
    assert report.rows == 3_000 and report.kept == len(kept)
    assert report.steps[0].before == report.rows and report.steps[-1].after == report.kept
    assert all(one.after == two.before for one, two in pairwise(report.steps))
    for step in report.steps:
        mine = [touch for touch in touches if touch.step is step.step]
        assert len(mine) == step.touched
        assert step.touches == tuple(mine[: len(step.touches)])
        assert sum(touch.effect is Effect.DROPPED for touch in mine) == step.dropped == step.before - step.after
        assert sum(touch.effect is Effect.CHANGED for touch in mine) == step.changed
    dropped = {touch.row.line for touch in touches if touch.effect is Effect.DROPPED}
    assert dropped.isdisjoint(one.line for one in kept) and len(dropped) + len(kept) == 3_000
    found = {step.step for step in report.steps if step.touched}
    assert found >= set(StepName) - {StepName.LONG, StepName.LANGUAGE, StepName.SAME_ANSWER}


def test_nothing_on_changes_nothing():
    rows = list(bench_rows(500))
    for cleaning in (Cleaning(()), Cleaning(tuple(Switch(step, Mode.OFF) for step in StepName))):
        kept, report = cleaned_rows(iter(rows), cleaning)
        assert kept == rows and report.steps == () and report.changed == 0


def test_only_listing_changes_nothing_and_finds_the_same_rows():
    listing = Cleaning(tuple(Switch(step, Mode.REPORT) for step in StepName))
    kept, report = cleaned_rows(MESSY, listing)
    assert kept == list(MESSY) and not any(step.changed or step.dropped for step in report.steps)
    assert {step.step for step in report.steps if step.reported} == {
        StepName.INVISIBLE, StepName.GARBLED, StepName.HTML, StepName.PRIVATE, StepName.SHORT, StepName.REFUSAL,
        StepName.TEMPLATE, StepName.EXACT, StepName.NEAR,
    }  # fmt: skip


@pytest.mark.parametrize("step", [name for name in StepName if name not in ("long", "loop", "language", "same_answer")])
def test_a_step_is_undone_by_its_switch(step):
    kept, _report = cleaned_rows(MESSY, Cleaning((Switch(step, Mode.ACT),)))
    assert kept != list(MESSY)
    kept, _report = cleaned_rows(MESSY, Cleaning((Switch(step, Mode.ACT),)).switched(step, Mode.OFF))
    assert kept == list(MESSY)


def test_the_recommended_cleaning_says_what_it_did():
    kept, report = cleaned_rows(MESSY, Cleaning())
    assert [one.line for one in kept] == [1, 4, 5, 6, 8, 9, 10]
    assert kept[1].messages[1].content == "Take the bus to the sea." and kept[2].messages[1].content == "Café au lait"
    assert kept[3] is not MESSY[5] and kept[3] == MESSY[5]
    assert report.changed == 2
    exact, near = report.step(StepName.EXACT), report.step(StepName.NEAR)
    assert exact and near
    assert (exact.touches[0].row.line, exact.touches[0].like.line) == (2, 1)
    assert (near.touches[0].row.line, near.touches[0].like.line) == (3, 1)
    assert near.touches[0].before.startswith("Where is the harbour\n") and "harbour?" in near.touches[0].after
    repaired = report.step(StepName.GARBLED).touches[0]
    assert (repaired.before, repaired.after) == ("CafÃ© au lait", "Café au lait")


def test_text_in_a_wrong_encoding_is_repaired_before_its_invisible_letters_are_taken_away():
    """UTF-8 read as Latin-1 is half control characters: without them nobody can tell what it was."""
    texts = ("我很好，谢谢你，今天天气不错。", "It doesn’t work – “yet”, he said.", "Это хороший день для прогулки.")
    wrong = [row("How is it?", text.encode().decode("latin-1"), line) for line, text in enumerate(texts, 1)]
    wrong[2] = row("How is it?", texts[2].encode().decode("cp1251"), 3)
    kept, report = cleaned_rows(wrong, Cleaning())
    assert tuple(one.messages[1].content for one in kept) == texts
    assert report.step(StepName.GARBLED).changed == 3 and report.step(StepName.INVISIBLE).touched == 0


def test_long_rows_that_repeat_each_other_are_shown_with_a_mark_where_they_are_cut():
    long = "\n".join(f"{TEXT} Part {number}." for number in range(9))
    _kept, report = cleaned_rows([row("Where?", long, 1), row("Where?", long, 2), row("Hi", "Hello.", 3)], Cleaning())
    touch = report.step(StepName.EXACT).touches[0]
    assert touch.before == touch.after and touch.before.endswith("…") and len(touch.before) <= 401
    assert f"Where?\n{long}".startswith(touch.before[:-1])


def test_an_excepted_row_passes_untouched_and_comes_back():
    keys = [row_key(MESSY[place]) for place in (2, 3, 6)]
    kept, report = cleaned_rows(MESSY, Cleaning().excepting(*keys))
    assert [one for one in kept if one.line in (3, 4, 7)] == [MESSY[2], MESSY[3], MESSY[6]]
    assert report.excepted == 3
    assert cleaned_rows(MESSY, Cleaning().excepting(*keys).including(*keys))[0] == cleaned_rows(MESSY, Cleaning())[0]
    touched = next(touch for step in report.steps for touch in step.touches if touch.row.line == 2)
    assert touched.row.key == row_key(MESSY[1])


def test_the_longest_of_near_duplicates_may_stay():
    kept, _report = cleaned_rows(MESSY[:3], replace(Cleaning(), keep=Keep.LONGEST))
    assert [one.line for one in kept] == [3]


def test_a_row_far_less_alike_than_asked_stays():
    rows = [MESSY[0], row("Where is the harbour?", TEXT.replace(", cod", ""), 2)]
    assert len(cleaned_rows(rows, Cleaning())[0]) == 1
    assert len(cleaned_rows(rows, replace(Cleaning(), similar=0.95))[0]) == 2


def test_labels_are_answers_and_their_words_are_no_fillers():
    rows = [
        row(f"Is unit {word} in use? {TEXT}"[: 25 + place], ("test", "null")[place % 2], place)
        for place, word in enumerate("abcdefghijklmnopqrstuvwxyz")
    ]
    kept, report = cleaned_rows(rows, Cleaning((Switch(StepName.SHORT, Mode.ACT),)))
    assert report.kind is SetKind.LABELS and len(kept) == len(rows) == report.short_kept
    talk = [row(f"What about {place}?", TEXT, place) for place in range(60)]
    kept, report = cleaned_rows([*talk, rows[0]], Cleaning((Switch(StepName.SHORT, Mode.ACT),)))
    assert report.kind is SetKind.TALK and len(kept) == 60


def test_a_set_that_teaches_to_translate_is_not_mixed():
    pairs = [row(f"这是第{place}个港口，在老城以北的河边", TEXT, place) for place in range(30)]
    only = Cleaning((Switch(StepName.LANGUAGE, Mode.ACT),))
    kept, report = cleaned_rows(pairs, only)
    assert report.translation and len(kept) == 30
    talk = [row(f"What about boat {place}?", TEXT, place) for place in range(300)]
    kept, report = cleaned_rows([*talk, *pairs], only)
    assert not report.translation and len(kept) == 300


def test_one_answer_to_many_questions_is_told_once_it_is_a_habit():
    talk = [row(f"What about boat {place}?", f"It is boat {place} of the harbour.", place) for place in range(300)]
    same = [
        row(f"And what about ship {place}?", "I do not know that, ask the harbour master.", 1000 + place)
        for place in range(30)
    ]
    _kept, report = cleaned_rows([*talk, *same], Cleaning())
    step = report.step(StepName.SAME_ANSWER)
    assert step and step.reported == 30 and step.touches[0].found == "30"
    _kept, report = cleaned_rows([*talk, *same[:10]], Cleaning())
    assert report.step(StepName.SAME_ANSWER).touched == 0


def test_rows_longer_than_the_limit_are_found():
    rows = [MESSY[0], row("Go on", TEXT * 100, 2)]
    only = Cleaning((Switch(StepName.LONG, Mode.ACT),), longest=512)
    kept, report = cleaned_rows(rows, only)
    assert len(kept) == 1 and int(report.steps[0].touches[0].found) > 512


def test_one_row_can_be_shown_before_and_after():
    assert cleaned_by(StepName.HTML, MESSY[3]).messages[1].content == "Take the bus to the\u200b sea."
    assert cleaned_by(StepName.HTML, MESSY[0]) is MESSY[0]


def test_private_data_gets_the_same_placeholder_in_every_row():
    rows = [MESSY[5], row("And at night?", "Call Anna on +86 138 1234 5678 too.", 2)]
    kept, report = cleaned_rows(rows, Cleaning((Switch(StepName.PRIVATE, Mode.ACT),)))
    assert [one.messages[1].content for one in kept] == ["Call Anna on [PHONE_1].", "Call Anna on [PHONE_1] too."]
    assert report.steps[0].touches[0].found == "mobile 1"
    only_mail = Cleaning((Switch(StepName.PRIVATE, Mode.ACT),), private=("email",))
    assert cleaned_rows(rows, only_mail)[0] == rows


def test_a_cleaning_and_a_report_survive_json():
    cleaning = replace(Cleaning().excepting(row_key(MESSY[0])), similar=0.9, keep=Keep.LONGEST)
    assert codec.from_plain(Cleaning, json.loads(codec.dumps(cleaning))) == cleaning
    _kept, report = cleaned_rows(MESSY, Cleaning())
    assert codec.from_plain(CleanReport, json.loads(codec.dumps(report))) == report


@pytest.mark.parametrize(
    "values", [{"similar": 0.4}, {"similar": 1.1}, {"shortest": -1}, {"longest": 0}, {"steps": RECOMMENDED * 2}]
)
def test_impossible_values_are_refused(values):
    with pytest.raises(ValueError):
        Cleaning(**values)


def test_what_is_written_is_what_was_cleaned_and_can_be_read_again(tmp_path):
    with clean(MESSY, EVERY) as cleaned:
        path = write_cleaned(tmp_path / "clean", cleaned)
        kept, touches = list(cleaned), list(cleaned.touches())
    assert path == tmp_path / "clean" / ROWS
    again, report = read_conversations((str(path),))
    assert [one.messages for one in again] == [one.messages for one in kept] and not report.rejected
    lines = (tmp_path / "clean" / TOUCHED).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(touches) and read_report(tmp_path / "clean").kept == len(kept)
    # what was masked is not in the folder any more
    assert all("13812345678" not in file.read_text(encoding="utf-8") for file in (tmp_path / "clean").iterdir())
    assert (tmp_path / "clean" / REPORT).stat().st_size > 0


def test_a_write_that_fails_leaves_the_old_folder(tmp_path):
    with clean(MESSY, Cleaning()) as cleaned:
        write_cleaned(tmp_path / "clean", cleaned)
        before = (tmp_path / "clean" / ROWS).read_bytes()
    with pytest.raises(ValueError):
        write_cleaned(tmp_path / "clean", cleaned)
    assert (tmp_path / "clean" / ROWS).read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_running_text_is_learned_text(tmp_path):
    texts = (
        TEXT,
        TEXT + " So it is.",
        "<p>" + TEXT[:70] + "</p>",
        "Chapter 3",
        "第 12 页",
        "42",
        "- 7 -",
        "港口在北边。",
    )
    rows = [Conversation((Message("text", text),), "book.txt", line) for line, text in enumerate(texts, 1)]
    with clean(rows, EVERY) as cleaned:
        kept = list(cleaned)
        path = write_cleaned(tmp_path / "clean", cleaned)
    assert [one.line for one in kept] == [1, 3, 8] and kept[1].messages[0].content == TEXT[:69].strip().strip()
    again, _report = read_conversations((str(path),), passage=2_000)
    assert [one.messages for one in again] == [one.messages for one in kept]


def test_a_repair_leaves_no_empty_row_behind():
    rows = [row("<br>", TEXT), row("Where?", "<p></p>", 2), row("Hi", "Hello", 3, "\u200b", "North of it, by the sea.")]
    assert cleaned_rows(rows, Cleaning())[0] == []
    repairs = Cleaning((Switch(StepName.INVISIBLE, Mode.ACT), Switch(StepName.HTML, Mode.ACT)))
    assert cleaned_rows(rows, repairs)[0] == rows


def test_stopping_cleans_the_rows_so_far():
    told = list[int]()
    with clean(bench_rows(5_000), Cleaning(), progress=told.append, stopped=lambda: bool(told)) as cleaned:
        assert not cleaned.report.complete and cleaned.report.rows == told[-1] < 5_000


def test_no_rows_and_rows_of_several_turns():
    assert cleaned_rows([], EVERY)[1].rows == 0
    talk = row("Hi there", "Hello!", 1, "Where?", "<p>North of the\u200b town.</p>")
    kept, _report = cleaned_rows([talk], EVERY)
    assert kept[0].messages[3].content == "North of the town." and kept[0].messages[0].content == "Hi there"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "<" * 100_000,
        "&" * 100_000,
        "哈" * 100_000,
        "a b " * 50_000,
        "<p " * 30_000,
        "`" * 50_001,
        "\n" * 50_000 + "x",
        "I am sorry " * 20_000,
        "抱歉我" * 30_000,
        "Human: a\n" * 10_000,
        "\ud800 half",
        "1 " * 50_000,
        "<p>" + " " * 100_000 + "x",
        "<br>" * 30_000 + " " * 50_000 + "x",
        "<li" * 30_000 + " " * 30_000 + ">",
        "&amp;" * 50_000,
        "Ã©" * 50_000,
        "浣犲ソ锛" * 30_000,
        "```" + "<p>a" * 30_000,
        "    <p>a\n" * 20_000,
    ],
)
def test_hostile_letters_take_no_longer_than_others(text):
    import time

    began = time.process_time()
    cleaned_rows([row("Go on", text), row(text, "Go on and on", 2)], EVERY)
    assert time.process_time() - began < 3


def test_the_result_does_not_depend_on_the_process():
    code = (
        "from core import codec; from core.data.clean.pipeline import clean; from core.data.clean import Cleaning\n"
        "from tests.bench.clean import rows\n"
        "with clean(rows(800), Cleaning()) as c: print(codec.dumps(c.report), [r.line for r in c])"
    )
    outs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outs) == 1 and len(outs.pop()) > 1_000


def test_the_values_are_light_to_import():
    code = (
        "import sys, core.data.clean, core.wording.cleaning\n"
        "print(sorted({'numpy', 'rensa', 'ftfy', 'phonenumbers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_every_step_has_words_and_every_effect():
    assert set(STEPS) == set(StepName)
    for step in StepName:
        title, finds, _does = clean_step_words(step)
        assert title and finds.endswith(".") and all(mode_words(step, mode) for mode in Mode)
    assert all(effect_words(effect) for effect in Effect) and all(kind_words(kind) for kind in SetKind)


@pytest.mark.parametrize("arguments", [["--help"], ["--rows"], ["many"], ["0"], ["--one", "ours"]])
def test_the_benchmark_says_how_it_is_called_and_does_nothing_else(arguments, capsys, monkeypatch):
    from tests.bench import data

    monkeypatch.setattr(data, "write_rows", lambda path, count: pytest.fail("it ran"))
    with pytest.raises(SystemExit) as ended:
        data.main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == (0 if arguments == ["--help"] else 2)
    assert "tests.bench.data [-h] [--peer] [rows]" in said.out + said.err
