"""HTML that a web page left behind: tags and entities become text, code and rows about HTML stay as they are."""

import html
import re

from core.data.clean.look import Found, Look, Seen

_BLOCK = "address|article|aside|blockquote|body|center|dd|div|dl|dt|figcaption|figure|footer|form|h[1-6]|head|header|html|main|nav|ol|p|section|table|tbody|thead|tfoot|title|tr|ul"  # noqa: E501
_INLINE = "a|abbr|b|big|cite|del|em|font|i|img|ins|small|span|strong|sub|sup|tt|u|td|th|wbr|label|button"
_TAG = re.compile(rf"</?(?:{_BLOCK}|{_INLINE}|br|hr|li)(?:\s[^<>]{{0,2000}})?\s?/?>", re.IGNORECASE)
#: Space around tags is bounded: an endless run of it must not take endless time.
_BREAK = re.compile(r"[ \t]{0,9}<(?:br|hr)(?:\s[^<>]{0,2000})?\s?/?>[ \t]{0,9}\n?", re.IGNORECASE)
_ITEM = re.compile(r"\s{0,9}<li(?:\s[^<>]{0,2000})?>\s{0,9}", re.IGNORECASE)
_END_OF_BLOCK = re.compile(rf"\s{{0,9}}</?(?:{_BLOCK}|li)(?:\s[^<>]{{0,2000}})?\s?/?>\s{{0,9}}", re.IGNORECASE)
_CELL = re.compile(r"</t[dh]>\s{0,9}(?=<t[dh])", re.IGNORECASE)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|#39|#34|#160|#x27|#x2f|[lr]s?quo|[lr]dquo|mdash|ndash|hellip|middot|bull|copy|reg|times|deg|emsp|ensp|thinsp);",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`|(?:^(?: {4}|\t).*(?:\n|\Z))+)", re.DOTALL | re.MULTILINE
)
#: The row is about markup, or is source code: tags are what it teaches.
_ABOUT = re.compile(
    r"\b(?:x?html5?|css|jsx?|tsx?|javascript|xml|svg|php|vue|react|angular|django|jinja|dom|markup|tags?|web ?pages?|web ?sites?|"  # noqa: E501
    r"front-?end|hyperlinks?|entit(?:y|ies)|escape[sd]?|escaping|unescape|parse[rd]?|scrap(?:e|ing|er)|beautifulsoup|regex)\b"
    r"|标签|网页|前端|网站|爬虫|转义|实体|超链接|正则",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"<!doctype|<\?(?:xml|php)|<(?:script|style|meta|link|input|svg|canvas|template)\b|</?[a-z]+:[a-z]+|\{\{|\{%|className=",
    re.IGNORECASE,
)
_SINGLE = re.compile(r"<\s?(?:br|hr|p|li|img|/p|/div|/span)\b", re.IGNORECASE)


def look() -> Look:
    """The step."""
    return _look


def _look(seen: Seen) -> Found | None:
    text = seen.text
    if not (("<" in text and ">" in text) or ("&" in text and ";" in text)):
        return None
    found = _TAG.search(text) or _ENTITY.search(text)
    if found is None or _ABOUT.search(_TAG.sub(" ", text)) or _SOURCE.search(text):
        return None
    # what tools get and give is for programs
    changed = seen.changed(without_html, data=False)
    return Found(found[0], changed) if changed else None


def without_html(text: str) -> str:
    """Return a text without the tags and entities that stand outside of code."""
    if "<" not in text and "&" not in text:
        return text
    pieces = _CODE.split(text)
    # the odd pieces are code
    return "".join(piece if place % 2 else _plain(piece) for place, piece in enumerate(pieces))


def _plain(text: str) -> str:
    tags = _TAG.findall(text)
    # one lonely "<b>" or "<i>" may be a type's parameter or a placeholder
    if tags and (_SINGLE.search(text) or any(tag.startswith("</") for tag in tags)):
        text = _CELL.sub(" | ", text)
        text = _BREAK.sub("\n", text)
        text = _ITEM.sub("\n- ", text)
        text = _END_OF_BLOCK.sub("\n", text)
        text = re.sub(r"\n{3,}", "\n\n", _TAG.sub("", text)).strip()
    if _ENTITY.search(text):
        text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\u00a0", " "), text)
    return text
