"""The language changes while running, comes from the computer by default and needs no catalogue."""

import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from core import i18n
from core.i18n import N_, NN_, _, language, ngettext, set_language, system_language
from core.problems import Code, Problem
from core.wording import explain
from core.wording.sentences import say, tell

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def english_again(monkeypatch: pytest.MonkeyPatch) -> object:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield
    set_language("en")


@pytest.fixture
def catalogues(tmp_path: Path) -> Path:
    """A folder with a small Chinese catalogue."""
    catalogue = Catalog(locale="zh_CN")
    catalogue.add("Data", "数据")
    catalogue.add(("{n} row", "{n} rows"), ("{n} 行",))
    catalogue.add("There is no NVIDIA card.", "没有 NVIDIA 显卡。")
    catalogue.add("There are no rows in {path}.", "{path} 里没有数据。")
    catalogue.add("Choose a file with questions and answers to learn from.", "请选择有问答的文件。")
    catalogue.add("The folder is {path}.", "文件夹是 {path}，{nobody_knows}。")
    folder = tmp_path / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "solotune.mo").open("wb") as file:
        write_mo(file, catalogue)
    return tmp_path


def test_words_are_looked_up_when_they_are_shown(catalogues: Path) -> None:
    marked = N_("Data")
    assert (_(marked), language()) == ("Data", "en")
    set_language("zh", catalogues)
    assert (_(marked), language()) == ("数据", "zh")
    set_language("en", catalogues)
    assert (_(marked), language()) == ("Data", "en")


def test_numbers_choose_the_form(catalogues: Path) -> None:
    one, many = NN_("{n} row", "{n} rows")
    assert [ngettext(one, many, n).format(n=n) for n in (1, 2)] == ["1 row", "2 rows"]
    set_language("zh", catalogues)
    assert [ngettext(one, many, n).format(n=n) for n in (1, 2)] == ["1 行", "2 行"]


def test_the_empty_text_stays_empty(catalogues: Path) -> None:
    set_language("zh", catalogues)
    assert _("") == ""


def test_untranslated_words_stay_english(catalogues: Path) -> None:
    set_language("zh", catalogues)
    assert _("Not in the catalogue") == "Not in the catalogue"


def test_problems_speak_chinese_without_spaces_between_sentences(catalogues: Path) -> None:
    set_language("zh", catalogues)
    words = explain(Problem(Code.DATA_EMPTY, {"path": "/a.json"}))
    assert (words.title, words.advice) == ("/a.json 里没有数据。", "请选择有问答的文件。")
    assert tell(("Data", "There is no NVIDIA card."), {}) == "数据。没有 NVIDIA 显卡。"


def test_a_translation_that_names_an_unknown_fact_does_not_fail(catalogues: Path) -> None:
    set_language("zh", catalogues)
    assert say("The folder is {path}.", {"path": "/a"}) == "文件夹是 /a，。"


@pytest.mark.parametrize("damage", [b"", b"not a catalogue", b"\xde\x12\x04\x95" + b"\xff" * 40])
def test_a_missing_or_broken_catalogue_leaves_english(catalogues: Path, damage: bytes) -> None:
    set_language("zh", catalogues / "nowhere")
    assert (_("Data"), language()) == ("Data", "zh")
    (catalogues / "broken" / "zh_CN" / "LC_MESSAGES").mkdir(parents=True)
    (catalogues / "broken" / "zh_CN" / "LC_MESSAGES" / "solotune.mo").write_bytes(damage)
    set_language("zh", catalogues / "broken")
    assert _("Data") == "Data"


@pytest.mark.parametrize(
    ("values", "spoken"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8", "LC_ALL": ""}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN"}, "en"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "en:zh_CN", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_environment_says_what_the_computer_speaks(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], spoken: str
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert system_language() == spoken
    set_language("system")
    assert language() == spoken
    set_language("klingon")
    assert language() == spoken


@pytest.mark.skipif(sys.platform == "win32", reason="Windows always names a language")
def test_a_computer_that_says_nothing_speaks_english() -> None:
    assert system_language() == "en"


def test_the_shipped_catalogues_lie_where_they_are_looked_for() -> None:
    assert (i18n.resource("locale")).is_dir()
