"""Answers that say nothing, and rows that are very long."""

import math
import re

from core.data.clean.cleaning import Cleaning
from core.data.clean.look import Found, Look, Seen, weight
from core.data.letters import likely_tokens

#: Nothing but stops, dashes and space.
_STOPS = re.compile(r"[\s.。…·,，、;；:：!！?？\-—–_~～*#=|/\\'\"“”‘’]*")
_SENTENCE = re.compile(r"[。！？!?；;.：:]")
#: A question of nothing but these asks nothing; other signs may be what it asks about.
_NO_QUESTION = re.compile(r"[\s.。…,，?？!！\-—_]*")
_SYMBOL = re.compile(
    r"symbol|punctuation|operator|character|\bsign\b|emoji|regex|mark|morse|标点|符号|运算符|字符|表情|记号|摩斯",
    re.IGNORECASE,
)
_MASHED = re.compile(r"(?:asdf|qwer|zxcv|sdfg|hjkl|jkl;)[a-z;]*|([^\W\d_])\1{3,}", re.IGNORECASE)
#: Answers that stand where an answer was forgotten. "None", "无" and numbers are not among them: they can be true.
_FILLERS = frozenset((
    "n/a", "na", "null", "nil", "nan", "undefined", "todo", "tbd", "tba", "test", "testing", "test test", "asdf",
    "xxx", "foo", "hmm", "uh", "lol", "haha", "see above", "see attached", "see attachment", "see image", "as above",
    "same as above", "ditto", "placeholder", "answer", "output", "response", "your answer here", "insert answer here",
    "lorem ipsum", "no answer", "[deleted]", "[removed]", "deleted", "removed", "ok", "okay", "k", "idk",
    "暂无", "略", "同上", "如上", "见上", "见附件", "见图", "如图", "测试", "测试一下", "嗯", "嗯嗯", "哦", "哦哦",
    "呵呵", "哈哈", "待补充", "待定", "待填", "空", "无内容", "暂无回答", "暂无答案", "没有答案", "答案", "回答",
    "顶", "沙发", "路过", "占位", "xx", "某某", "图片", "[图片]", "(图)",
))  # fmt: skip
#: The question is about words: a filler may be the one that it asks for.
_WORD_WANTED = re.compile(
    r"english|chinese|\bwords?\b|synonym|\bterm\b|translat|\bcall|\bsay\b|express|\bmean|abbrev|opposite"
    r"|short for|laugh|type"
    r"|英文|英语|中文|翻译|词|怎么说|叫什么|缩写|意思|表达|网络用语",
    re.IGNORECASE,
)
#: Fewer tokens than this a letter there are never (core.data.letters: digits).
_MOST_TOKENS_A_LETTER = 1.45


def look_short(cleaning: Cleaning) -> Look:
    """The step that finds answers without meaning among those shorter than the limit.

    What is a word that labels use too ("null", "test") is found openly: it stays when the set uses it as a label.
    """
    limit = cleaning.shortest

    def _look(seen: Seen) -> Found | None:
        answer = seen.answer.strip()
        if seen.conversation.is_running:
            # headings, page numbers and other scraps of a document
            short = len(answer) < limit and weight(answer) < limit and not _SENTENCE.search(answer)
            return Found(answer) if short or _STOPS.fullmatch(answer) else None
        if any(message.is_empty for message in seen.messages):
            return Found("")
        if _STOPS.fullmatch(answer):
            return None if answer and _SYMBOL.search(seen.asked) else Found(answer)
        asked = seen.question
        if len(asked) < limit and _NO_QUESTION.fullmatch(asked):
            return Found(asked.strip() or answer)
        if len(answer) >= limit or weight(answer) >= limit:
            return None
        return _without_meaning(answer, seen, limit)

    return _look


def _without_meaning(answer: str, seen: Seen, limit: int) -> Found | None:
    word = answer.strip(" .。!！?？~～…,，").lower()
    if word in _FILLERS or (len(word) > 3 and _MASHED.fullmatch(word)):
        asked = seen.asked.lower()
        # a question that names the word asks for it; a long one may well have it as its answer
        if word not in asked and not _WORD_WANTED.search(asked) and weight(asked) + weight(answer) < 3 * limit:
            return Found(answer, open=True)
    return None


def look_long(cleaning: Cleaning) -> Look:
    """The step that finds rows longer than the limit in tokens."""
    limit = cleaning.longest

    def _look(seen: Seen) -> Found | None:
        if len(seen.text) * _MOST_TOKENS_A_LETTER <= limit:
            return None
        tokens = math.ceil(likely_tokens(seen.text))
        return Found(str(tokens)) if tokens > limit else None

    return _look
