"""What training and validation share, and which rows a split must keep together."""

from core.data.clean.overlap import groups, overlap
from core.data.rows import Conversation, Message
from tests.bench.clean import rows as bench_rows
from tests.core.clean_rows import NEAR, NOT_NEAR

TEXT = "The harbour lies north of the old town, where the river meets the sea and fishing boats come in at dawn."


def row(*texts, line=1):
    roles = ("user", "assistant")
    return Conversation(tuple(Message(roles[place % 2], text) for place, text in enumerate(texts)), "a.jsonl", line)


def test_exact_and_near_rows_are_told_with_their_pairs():
    train = [row("Where is the harbour?", TEXT), row("Where?", "North of the town", line=2)]
    check = [
        row("Where is the harbour?", TEXT, line=1), row("where is the harbour", TEXT + " So it is.", line=2),
        row("Who are you?", "The master of the harbour, at your service.", line=3),
    ]  # fmt: skip
    found = overlap(train, check)
    assert (found.training, found.validation, found.exact, found.near) == (2, 3, 1, 1)
    assert [(pair.row.line, pair.like.line, pair.exact) for pair in found.pairs] == [(1, 1, True), (2, 1, False)]
    assert found.pairs[1].text.startswith("where is") and found.share == 2 / 3


def test_rows_that_repeat_only_their_own_side_are_no_overlap():
    one, other = row("Where is the harbour?", TEXT), row("Who?", "Nobody whom you know, I am afraid to say.")
    assert overlap([one, one], [other, other]).share == 0
    assert overlap([], [one]).share == overlap([one], []).share == 0


def test_two_halves_of_one_set_overlap_by_their_duplicates_only():
    rows = list(bench_rows(3_000))
    found = overlap(rows[:2_700], rows[2_700:])
    # a tenth of the rows repeat an earlier one, half of those word for word; the spoiled ones may be lost
    assert 0.02 < found.exact / 300 < 0.1 and 0.02 < found.near / 300 < 0.1


def test_near_rows_are_one_group_and_look_alikes_are_not():
    together = sum(len(set(groups([row(*one), row(*other)]))) == 1 for one, other in NEAR)
    assert together >= 0.9 * len(NEAR)
    apart = [pair for pair in NOT_NEAR if pair[0][0] != pair[1][0]]
    assert all(len(set(groups([row(*one), row(*other)]))) == 2 for one, other in apart)


def test_pieces_of_one_conversation_and_answers_to_one_question_stay_together():
    rows = [
        row("Hi", "Hello, how are you?"), row("Hi", "Hello, how are you?", "Fine", "Good to hear!"),
        row("Hi", "Hello, how are you?", "Bad", "What happened?"), row("Hi", "Who is there?"),
        row("What is the best fish of the harbour in spring?", "Cod"),
        row("What is the best fish of the harbour in spring?", "Herring, of course, with new potatoes and dill."),
        row("你好", "你好！"), row("你好", "你好！"),
    ]  # fmt: skip
    assert groups(rows) == [0, 0, 0, 3, 4, 4, 6, 6]


def test_a_prompt_that_all_rows_share_makes_no_group():
    words = "wind rain snow hail fog sun dew ice mist frost tide wave foam sand rock reef cape bay isle gulf port pier"
    rows = [
        row("Write a small poem about anything that you like.", f"{one} and {one[::-1]}") for one in words.split(" ")
    ]
    assert groups(rows) == list(range(len(rows)))


def test_groups_of_nothing():
    assert groups([]) == []
