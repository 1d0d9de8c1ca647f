"""Every sentence of the code is there in Chinese, with the same facts in it, and the window can load it."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message

from core import i18n
from core.problems import Code, Problem
from core.wording import Action, action_label, explain
from tests import translations

CHINESE = "[\u3400-\u9fff]"


@pytest.fixture
def in_chinese() -> Iterator[None]:
    i18n.set_language("zh")
    yield
    i18n.set_language("en")


def test_code_and_catalogues_agree() -> None:
    assert translations.problems() == []


def test_there_is_something_to_agree_on() -> None:
    found = translations.sentences(translations.template())
    assert len(found) > 400
    # in a call, in a table, with two forms, in an f-string
    assert {"&Next", "The disk is full.", ("{n} row", "{n} rows"), "tuned"} <= set(found)


@pytest.mark.parametrize(
    ("english", "chinese", "fault"),
    [
        ("Go on", "", "not translated"),
        (("{n} row", "{n} rows"), ("",), "not translated"),
        ("{n} rows in {path}", "{path} 共 {m} 条", "other placeholders"),
        ("Loss {x:.2f}", "损失 {x}", "other placeholders"),
        (("{n} row", "{n} rows"), ("几条",), "other placeholders"),
        ("&Next", "下一步", "another mnemonic"),
        ("&Next", "下一步(&M)", "another mnemonic"),
        ("Go on", "继续 ", "space at an end"),
    ],
)
def test_a_faulty_translation_is_found(english: object, chinese: object, fault: str) -> None:
    assert translations.faults(Message(english, chinese)) == [fault]


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("{a} of {b}", "{b} 中的 {a}"),
        ("Ne&w", "新建(&W)"),
        (("row", "{n} rows"), ("{n} 条",)),
        ("You: ", "提问："),
    ],
)
def test_a_good_translation_passes(english: object, chinese: object) -> None:
    assert translations.faults(Message(english, chinese)) == []


def test_an_uncertain_translation_is_found() -> None:
    assert translations.faults(Message("Go on", "继续", flags=["fuzzy"])) == ["uncertain"]


def written() -> list[str]:
    """The Chinese sentences without their placeholders: facts bring their own letters."""
    said = map(translations.said, translations.sentences(translations.chinese()).values())
    return [re.sub(r"\{[^}]*\}", "{}", text) for text in said]


@pytest.mark.parametrize(
    "pattern",
    [
        f"{CHINESE}[A-Za-z0-9]",  # a space between Chinese and Latin letters
        f"[A-Za-z0-9]{CHINESE}",
        f"{CHINESE}[,;:.!?]",  # full-width punctuation
        "[!！]",  # nobody shouts
        "  ",
        " [，。；：、？）]|[，。；：、？（] ",
        "您",
    ],
)
def test_the_chinese_is_set_as_chinese_is(pattern: str) -> None:
    assert [text for text in written() if re.search(pattern, text)] == []


@pytest.mark.usefixtures("in_chinese")
def test_the_compiled_catalogue_speaks() -> None:
    assert i18n.language() == "zh"
    assert i18n._("&Next") == "下一步(&N)"
    assert i18n.ngettext("{n} row", "{n} rows", 1) == i18n.ngettext("{n} row", "{n} rows", 2) == "{n} 条"


@pytest.mark.usefixtures("in_chinese")
@pytest.mark.parametrize("code", list(Code))
def test_every_problem_speaks_chinese(code: Code) -> None:
    words = explain(Problem(code, {}))
    for text in (words.title, words.advice):
        assert re.search(CHINESE, text), text
        # names of programs stay, English sentences do not
        assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+", text), text


@pytest.mark.usefixtures("in_chinese")
def test_every_button_of_a_problem_speaks_chinese() -> None:
    assert [action for action in Action if not re.search(CHINESE, action_label(action))] == []
