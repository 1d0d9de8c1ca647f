"""Rows with tools on their way into training: what the model's template cannot show is told and not learned."""

import json
from pathlib import Path

import pytest

from core.engine.encoding import ChatFormat
from core.engine.loading import load_tokenizer
from core.engine.replay import _own_questions
from core.engine.rows import read_rows
from core.events import Noted
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from tests.core.test_tools import SPELLINGS
from tests.engine.conftest import Listener
from tests.fakes import new_run


def test_what_the_template_cannot_show_is_told_and_left_out(tmp_path: Path, tiny_base: Path) -> None:
    path = tmp_path / "rows.jsonl"
    plain = [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*SPELLINGS.values(), *plain]), encoding="utf-8")
    plan = TrainingPlan(model=str(tiny_base), data=(str(path),), validation_share=0.0)
    chat, heard = ChatFormat(load_tokenizer(tiny_base)), Listener()
    assert len(read_rows(plan, chat, heard).train) == len(plain)
    (note,) = [note for note in heard.of(Noted) if note.code == "rows_refused"]
    assert note.facts == {"rows": len(SPELLINGS), "file": "rows.jsonl", "line": 1}

    path.write_text("".join(json.dumps(row) + "\n" for row in SPELLINGS.values()), encoding="utf-8")
    with pytest.raises(Trouble) as refused:
        read_rows(plan, chat, Listener())
    assert refused.value.problem.code is Code.NOTHING_TO_LEARN


def test_rows_with_tools_are_no_questions_to_replay(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [SPELLINGS["openai"], {"question": "Only this?", "answer": "Yes."}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run = new_run(tmp_path / "runs", model="tiny", data=(str(path),), questions=())
    (asked,) = _own_questions(run)
    assert "Only this?" in str(asked)
