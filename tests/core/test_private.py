"""Private data is found where people would see it, look-alikes are left alone, and hostile texts cost no time."""

import ipaddress
import random
import time
from collections import Counter
from itertools import pairwise

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.private import MOST, NAMES, Finding, Kind, Masker, context, find
from core.data.private.documents import luhn
from core.data.private.keys import entropy, random_looking
from core.data.rows import Conversation, Message
from tests.core.private_snippets import Snippet, snippets

ENOUGH = 0.95


def kinds_of(text: str) -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.text) for finding in find(text)]


def counts(chosen: list[Snippet]) -> dict[str, Counter[str]]:
    """True and false positives and misses, by kind and in all; a finding counts when kind and place are right."""
    result: dict[str, Counter[str]] = {name: Counter() for name in [*Kind, "all"]}
    for snippet in chosen:
        got = {(finding.kind.value, finding.start, finding.end) for finding in find(snippet.text)}
        expected = set(snippet.expected)
        for what, places in (("hit", got & expected), ("extra", got - expected), ("missed", expected - got)):
            for kind, *_ in places:
                result[kind][what] += 1
                result["all"][what] += 1
    return result


def precision(count: Counter[str]) -> float:
    return count["hit"] / max(count["hit"] + count["extra"], 1)


def recall(count: Counter[str]) -> float:
    return count["hit"] / max(count["hit"] + count["missed"], 1)


@pytest.mark.parametrize("part", ["tuned on", "held out", "all"])
def test_precision_and_recall_on_the_labelled_snippets(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [s for s in snippets() if part == "all" or s.held_out == (part == "held out")]
    result = counts(chosen)
    with capsys.disabled():
        print(f"\n{part}: {len(chosen)} snippets, {sum(not s.expected for s in chosen)} of them look-alikes")
        for kind, count in result.items():
            print(
                f"  {kind:10} precision {precision(count):.3f}  recall {recall(count):.3f}"
                f"  ({count['hit']} right, {count['extra']} too many, {count['missed']} missed)"
            )
    assert precision(result["all"]) >= ENOUGH
    assert recall(result["all"]) >= ENOUGH


def test_the_labelled_set_is_large_mixed_and_in_both_languages() -> None:
    every = snippets()
    assert len(every) >= 300
    assert 0.4 <= sum(not s.expected for s in every) / len(every) <= 0.6
    assert len({s.text for s in every}) == len(every)
    chinese = sum(not s.text.isascii() for s in every)
    assert 0.3 <= chinese / len(every) <= 0.7
    assert {kind for s in every for kind, *_ in s.expected} == {kind.value for kind in Kind}


@given(st.text(st.sampled_from("0123456789 １３８+-()@.,:：号a电话中x/\n\u200b😀"), max_size=60), st.integers(0, 2))
def test_offsets_are_exact_ordered_and_apart_in_any_text(noise: str, which: int) -> None:
    private = ("13800001234", "zhang.san@qq.com", "110101200310215060")[which]
    text = f"{noise} 。 {private} 。 {noise}"
    found = find(text)
    assert all(text[f.start : f.end] == f.text for f in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert any(private in f.text for f in found)


def test_offsets_hold_for_letters_outside_of_the_basic_plane_and_in_full_width() -> None:
    text = "😀😀　电话：１３８００００１２３４，郵箱：ａｂｃ＠ｑｑ．ｃｏｍ"
    assert kinds_of(text) == [("mobile", "１３８００００１２３４"), ("email", "ａｂｃ＠ｑｑ．ｃｏｍ")]
    assert [f.value for f in find(text)] == ["+8613800001234", "abc@qq.com"]


def test_every_country_s_example_numbers_are_found() -> None:
    """libphonenumber's own examples, as an oracle: fixed line and mobile of every region, written for abroad."""
    missed = []
    for region in phonenumbers.SUPPORTED_REGIONS:
        for wanted in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(region, wanted)
            if number is None:
                continue
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            if [f.text for f in find(f"Please call {written}, thanks.")] != [written]:
                missed.append((region, written))
    assert missed == []


def test_one_digit_wrong_is_no_identity_number_and_no_card() -> None:
    for good, kind in (("110101200310215060", Kind.ID_CARD), ("6217630713105067334", Kind.BANK_CARD)):
        assert [f.kind for f in find(good)] == [kind]
        for place in range(len(good)):
            wrong = good[:place] + str((int(good[place]) + 1) % 10) + good[place + 1 :]
            assert kind not in [f.kind for f in find(wrong)], wrong


def test_luhn_agrees_with_published_test_cards() -> None:
    for number in ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000"):
        assert luhn(number)
        assert [f.kind for f in find(f"card {number}")] == [Kind.BANK_CARD]


def test_randomness_is_told_from_words() -> None:
    assert random_looking("1N4zsRV6xNrE5YxH5g1nuvGlZe01p9vy")
    assert not random_looking("the-quick-brown-fox-2024-edition")
    assert not random_looking("aaaaaaaaaaaaaaa1aaaaaaaaaaaa1")
    assert entropy("aabb") == 1.0


def test_the_longest_wins_and_kinds_can_be_chosen() -> None:
    text = "13800001234@139.com 和 13900001234"
    assert kinds_of(text) == [("email", "13800001234@139.com"), ("mobile", "13900001234")]
    assert [f.kind for f in find(text, {Kind.MOBILE})] == [Kind.MOBILE, Kind.MOBILE]
    assert find(text, ()) == ()


def test_context_shows_what_was_cut() -> None:
    text = "a" * 30 + " 13800001234 " + "b" * 30
    (found,) = find(text)
    assert context(text, found, 5) == ("…aaaa ", "13800001234", " bbbb…")
    assert context("13800001234", find("13800001234")[0]) == ("", "13800001234", "")


def test_every_kind_has_words() -> None:
    assert set(NAMES) == set(Kind)


def row(*contents: str) -> Conversation:
    roles = ("user", "assistant") * len(contents)
    return Conversation(tuple(Message(r, c) for r, c in zip(roles, contents, strict=False)), "f", 1)


def test_one_number_is_one_placeholder_in_all_rows_spellings_and_languages() -> None:
    masker = Masker()
    first = masker.mask(row("我的手机是13800001234", "已记下 +86 138-0000-1234 和 139 1111 2222"))
    assert [m.content for m in first.messages] == ["我的手机是[手机号_1]", "已记下 [手机号_1] 和 [手机号_2]"]
    second = masker.mask(row("Call １３８００００１２３４ or (415) 555-2671", "+1 415-555-2671 it is"))
    assert [m.content for m in second.messages] == ["Call [PHONE_1] or [PHONE_3]", "[PHONE_3] it is"]
    assert masker.originals["[手机号_1]"] == "13800001234"
    assert (first.file, first.line) == ("f", 1)


def test_masking_leaves_rows_without_private_data_as_they_are() -> None:
    plain = row("1+1=?", "2, 见第 3.2.1 节")
    assert Masker().mask(plain) is plain


def test_nothing_is_found_after_masking_and_restoring_gives_the_text_back() -> None:
    for snippet in snippets():
        masker = Masker()
        masked = masker.mask_text(snippet.text)
        assert find(masked) == (), snippet.text
        assert (masked != snippet.text) == bool(find(snippet.text))
        assert masker.restore(masked) == snippet.text


def test_only_chosen_kinds_are_masked() -> None:
    assert Masker({Kind.EMAIL}).mask_text("a.b@qq.com 13800001234") == "[EMAIL_1] 13800001234"


def test_a_placeholder_that_a_text_already_has_gets_no_second_meaning() -> None:
    masker = Masker()
    masked = masker.mask_text("[PHONE_1] was masked before, 13800001234 was not")
    assert masked == "[PHONE_1] was masked before, [PHONE_2] was not"
    assert masker.restore(masked) == "[PHONE_1] was masked before, 13800001234 was not"


def test_masking_goes_on_after_the_most_that_find_gives() -> None:
    count = MOST + 500
    text = " ".join(f"138{n:08}" for n in range(count))
    assert len(find(text)) == MOST
    masked = Masker().mask_text(text)
    assert masked.split() == [f"[PHONE_{n + 1}]" for n in range(count)]


def test_addresses_that_are_nobody_s_are_no_finding() -> None:
    nobodys = ("127.0.0.1", "0.0.0.0", "255.255.255.0", "192.168.0.1", "10.0.0.0", "169.254.3.4", "224.0.0.251")
    documented = ("192.0.2.44", "198.51.100.7", "203.0.113.99", "2001:db8:1:2::3")
    for address in (*nobodys, *documented, "8.8.8.8", "2001:4860:4860::8888"):
        assert find(f"server {address} answers") == (), address
    for address in ("192.168.7.33", "47.98.123.45", "2408:8207:2471:9b60::1"):
        (found,) = find(f"server {address} answers")
        assert ipaddress.ip_address(found.value) == ipaddress.ip_address(address)


def test_one_address_in_two_spellings_is_one_value() -> None:
    text = "from 2408:8207:0:0:0:0:0:1a to 2408:8207::1a"
    assert len({f.value for f in find(text)}) == 1 == len(find(text)) - 1


HOSTILE_SIZE = 1_000_000
HOSTILE = {
    "digits": "1234567890",
    "ones": "1",
    "at signs": "@",
    "dots": ".",
    "letters": "a",
    "letters and at": "a@",
    "mail-like": "a.b@c.d",
    "domain": "a@" + "b." * 100,
    "labels": "a@b-" + "c-" * 20,
    "spaced digits": "1 2 3-",
    "mobiles": "13800001234 ",
    "wrong cards": "6222 2155 8028 3949 ",
    "identity-like": "110101199003071235 ",
    "plus": "+1234567890 ",
    "plus signs": "+",
    "+86": "+86 138 ",
    "phone words": "电话：2345678 phone: 123-4567 ",
    "numerals": "一三八零零",
    "colons": "::",
    "hex colons": "2001:abc:",
    "addresses": "1.2.3.4.",
    "octets": "47.98.123.45 ",
    "at in words": "a AT b DOT ",
    "dots in words": "a at b dot c dot ",
    "urls": "http://a:b:",
    "slashes": "://",
    "eyJ": "eyJ",
    "eyJ dots": "eyJabcdefghij.",
    "pem": "-----BEGIN PRIVATE KEY-----",
    "pem bodies": "-----BEGIN RSA PRIVATE KEY-----" + "a" * 100,
    "sk": "sk-",
    "sk runs": "sk-ab-",
    "ghp": "ghp_",
    "api key": "api_key=",
    "token colon": 'token: "',
    "iban": "DE89 3704 ",
    "IBAN run": "DE60639700",
    "passport": "passport A1 ",
    "passports": "护照E12345678",
    "ssn": "ssn 219-45-6789 ",
    "brackets": "(",
    "brackets and digits": "(1) (",
    "wide": "１２３－＠：",
    "spaces": " ",
    "zero-width": "1\u200b",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_takes_less_than_a_second(name: str) -> None:
    piece = HOSTILE[name]
    text = (piece * (HOSTILE_SIZE // len(piece) + 1))[:HOSTILE_SIZE]
    began = time.process_time()
    found = find(text)
    assert time.process_time() - began < 1
    assert len(found) <= MOST


def test_a_megabyte_of_everything_mixed_takes_less_than_a_second() -> None:
    chance = random.Random(7)
    pieces = [*HOSTILE.values(), "电话", "身份证", "订单号", "\n", " key ", "\0"]
    text = "".join(chance.choices(pieces, k=HOSTILE_SIZE // 4))[:HOSTILE_SIZE]
    began = time.process_time()
    assert all(isinstance(f, Finding) for f in find(text))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("at", [49_985, 49_995, 50_000, 50_005, 99_999, 100_007])
def test_long_texts_lose_nothing_where_they_are_cut_into_pieces(at: int) -> None:
    private = "身份证号：110101200310215060，邮箱zhang.san@qq.com，服务器47.98.123.45"
    text = "数" * at + private + "据" * 60_000
    found = find(text)
    assert [f.text for f in found] == ["110101200310215060", "zhang.san@qq.com", "47.98.123.45"]
    assert all(text[f.start : f.end] == f.text for f in found)
    assert Masker().mask_text(text).count("_1]") == 3


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("密码：Zx9TLoszNyFUibRLi7uT", "密码：[密钥_1]"),
        ("请用 Python 和 pandas 读取 a.b@qq.com 的邮件", "请用 Python 和 pandas 读取 [邮箱_1] 的邮件"),
        ("Translate 你好 to English and mail it to a.b@qq.com", "Translate 你好 to English and mail it to [EMAIL_1]"),
    ],
)
def test_placeholders_speak_the_language_of_the_text(text: str, masked: str) -> None:
    assert Masker().mask_text(text) == masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a word before the name must not hide the address
        ("Email me at jane.doe (at) gmail (dot) com", [("email", "jane.doe (at) gmail (dot) com")]),
        ("Write to us at info [at] harbour [dot] org.", [("email", "info [at] harbour [dot] org")]),
        ("He looked at me at that dot com event", []),
        # every digit apart, but no row of numbers
        ("我的号码：1 3 8 1 2 3 4 5 6 7 8", [("mobile", "1 3 8 1 2 3 4 5 6 7 8")]),
        ("手机 1-3-9-8-7-6-5-4-3-2-1，谢谢", [("mobile", "1-3-9-8-7-6-5-4-3-2-1")]),
        ("数列 1 3 5 7 9 2 4 6 8 0 1 的和", []),
        ("电话：1 3 8 1 2 3 4 5 6 7 8 9 0", []),
        # as Taiwan, Hong Kong and Japan write
        ("台灣手機 0912-345-678", [("phone", "0912-345-678")]),
        ("電話：(02) 2345-6789 找陳小姐", [("phone", "(02) 2345-6789")]),
        ("東京の電話 03-1234-5678", [("phone", "03-1234-5678")]),
        ("訂單 0912-345-678", []),
        # fractions, and paragraphs of a law
        ("经度 138.12345678，纬度 35.68123456", []),
        ("mean [ 150.23207937,  181.93835853]", []),
        ("手机 138.1234.5678 或 138.1234-5678", [("mobile", "138.1234.5678"), ("mobile", "138.1234-5678")]),
        ("as set forth in DFARS 252.227-7013 and 202.227-7015", []),
        ("call 415.555.2671 or 415-555-2672", [("phone", "415.555.2671"), ("phone", "415-555-2672")]),
        ("https://abc:123@example.com/ and https://ana:Tr0ub4dor@db.example.com/", [("key", "Tr0ub4dor")]),
    ],
)
def test_numbers_and_addresses_in_disguise(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds_of(text) == expected
