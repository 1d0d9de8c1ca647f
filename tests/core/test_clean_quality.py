"""How well each step of cleaning tells what it looks for from what looks like it, in both languages."""

import pytest

from core.data.clean import Cleaning, Mode, StepName, Switch
from core.data.clean.pipeline import clean
from core.data.rows import Conversation, Message
from tests.core.clean_rows import ALIKE, FOUND, NEAR, NOT_NEAR

#: What each step reaches at least on the labelled rows.
PRECISION, RECALL = 0.95, 0.9


def row(asked, answered, line=0):
    return Conversation((Message("user", asked), Message("assistant", answered)), "rows.jsonl", line)


def touched(step, pairs):
    """The places of the rows that a step alone touches; each row amid sentences, so that the set is an ordinary one."""
    plain = [
        row(f"How does {word} work?", f"It works by {word}, as everybody knows who has seen it.", 0)
        for word in ("wind", "rain", "snow", "hail", "fog", "sun", "dew", "ice", "mist", "frost")
    ]
    rows = [row(*pair, line) for line, pair in enumerate(pairs, 1)]
    with clean([*plain, *plain, *plain, *rows], Cleaning((Switch(step, Mode.ACT),))) as cleaned:
        return {touch.row.line for touch in cleaned.touches() if touch.row.line}


@pytest.mark.parametrize("step", FOUND)
def test_a_step_finds_what_it_is_for_and_leaves_what_looks_like_it(step, record_property):
    found, alike = FOUND[step], ALIKE[step]
    # the look-alikes may be of a kind (short answers) that must not turn the whole set into another one
    hits, false = touched(step, found), touched(step, alike)
    recall = len(hits) / len(found)
    precision = len(hits) / max(len(hits) + len(false), 1)
    missed = [pair for line, pair in enumerate(found, 1) if line not in hits]
    wrong = [pair for line, pair in enumerate(alike, 1) if line in false]
    print(f"\n{step}: precision {precision:.3f}, recall {recall:.3f} ({len(found)} and {len(alike)} rows)")
    assert precision >= PRECISION, f"touched for nothing: {wrong}"
    assert recall >= RECALL, f"not found: {missed}"


def near(pair):
    rows = [row(*one, line) for line, one in enumerate(pair)]
    with clean(rows, Cleaning((Switch(StepName.NEAR, Mode.ACT),))) as cleaned:
        return len(cleaned) == 1


def test_near_duplicates_say_the_same_and_look_alikes_do_not():
    missed = [pair for pair in NEAR if not near(pair)]
    wrong = [pair for pair in NOT_NEAR if near(pair)]
    hits = len(NEAR) - len(missed)
    print(f"\nnear: precision {hits / (hits + len(wrong)):.3f}, recall {hits / len(NEAR):.3f}")
    assert not wrong
    assert hits / len(NEAR) >= RECALL, f"not found: {missed}"
