"""Answers in which another assistant refuses or excuses itself: "As an AI language model, I cannot …"."""

import re

from core.data.clean.look import Found, Look, Seen, excerpt

#: One of these is in every such answer; looking for them costs a microsecond.
_HINTS = ("as an ai", "an ai ", "language model", "sorry", "apolog", "cannot", "can't", "can’t", "unable", "not able")
_CHINESE_HINTS = ("作为", "人工智能", "语言模型", "抱歉", "对不起", "无法", "不能", "不便", "AI")

_HELP = (
    r"(?:assist|help|fulfil?l|comply|provide|generate|create|write|answer|engage|support|continue|do that|complete|"
    r"discuss|participate|promote|share|offer|access|browse|respond)(?! but\b)"
)
_CANNOT = (
    r"(?:can(?:no|['’])t|cannot|can not|am (?:unable|not able) to|['’]m (?:unable|not able) to|won['’]t|must decline)"
)
_SELF = r"(?:language model|ai (?:language )?(?:model|assistant)|artificial intelligence(?: language model)?|large language model|chatbot)"  # noqa: E501
_ENGLISH = re.compile(
    rf"\bas an? (?:{_SELF}|ai)(?: (?:developed|created|trained|made) by \w+)?,? (?:i\b|my\b|it is not)"
    rf"|\bi(?:['’]m| am) (?:just |only |merely )?an? {_SELF}[^.!?\n]{{0,80}}"
    rf"(?:\bcan(?:no|['’])t\b|\bdo(?:n['’]t| not)\b|\bunable\b)"
    rf"|^(?:(?:i['’]m|i am) (?:very |so |really |deeply )?sorry|my apologies|i apologi[sz]e|sorry)\b[^.!?\n]{{0,30}}?\bi (?:{_CANNOT}|{_CANNOT} {_HELP})[^.!?\n]{{0,60}}?\b{_HELP}"  # noqa: E501
    rf"|^(?:i['’]m|i am) sorry\b[^.!?\n]{{0,20}}?\bi['’]m (?:unable|not able) to {_HELP}"
    # "I cannot complete this order today" is an answer; "I cannot help with this." is none
    rf"|^i (?:{_CANNOT}) {_HELP}\b(?:[^.!?\n]{{0,60}}\b(?:request|illegal|harmful|content)\b"
    rf"|(?: you)?(?: with)? (?:that|this)\b(?=\s*(?:[.,;!]|$)| (?:task|topic|question)))",
    re.IGNORECASE,
)
_OURSELF = (
    r"(?:一(?:个|名|款|位))?(?:基于[^，。]{0,12}的)?(?:大型|大)?(?:人工智能|AI|ai|语言模型|机器人)(?:大)?(?:语言)?"
    r"(?:模型|助手|程序|系统)?"
)
_CHINESE = re.compile(
    rf"(?:^|[。！\n])\s*(?:(?:很|非常|十分)?(?:抱歉|遗憾|对不起)[，,]\s*)?(?:作为|身为){_OURSELF}[，,]\s*(?:我|本)"
    rf"|我(?:只)?是{_OURSELF}[，,。][^。\n]{{0,20}}(?:无法|不能|没有|不具备)"
    r"|^(?:很|非常|十分|实在)?(?:抱歉|对不起)[，,！!。]?\s*(?:但)?我(?:目前|暂时|现在|并)?(?:无法|不能|没有办法|没办法)"
    r"(?:直接|为您|为你|给您|给你|向您|继续|满足|按照|就|对)?[^。\n请]{0,12}?(?:提供|回答|协助|帮助|完成|满足|生成|处理|访问|执行|讨论|参与|给出|撰写|进行)"
    r"|^(?:很|非常|十分|实在)?(?:抱歉|对不起)[，,！!。]?\s*(?:您|你)的(?:问题|请求|要求|提问)我?(?:目前|暂时|现在|并)?(?:无法|不能)"
    r"|^我(?:无法|不能)(?:提供|回答|协助|帮助你|帮助您|满足)[^。\n]{0,30}(?:请求|要求|问题|内容|信息|帮助)"
)


def look() -> Look:
    """The step."""
    return _look


def _look(seen: Seen) -> Found | None:
    for answer in seen.answers:
        if not answer.isascii() and any(map(answer.__contains__, _CHINESE_HINTS)):
            found = _CHINESE.search(answer[:2000])
        else:
            found = None
        if found is None:
            lower = answer[:2000].lower()
            found = _ENGLISH.search(answer[:2000]) if any(map(lower.__contains__, _HINTS)) else None
        if found and "”" not in answer[found.end() : found.end() + 80].split("\n")[0]:
            return Found(excerpt(answer, found.start(), found.end()))
    return None
