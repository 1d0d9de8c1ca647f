"""Marks of a prompt format inside a text: the chat template adds its own, and two formats confuse the model."""

import re

from core.data.clean.look import Found, Look, Seen, excerpt

_HINTS = (
    "###",
    "<|",
    "|>",
    "[INST]",
    "<<SYS>>",
    "</s>",
    "_turn>",
    "Human:",
    "Assistant:",
    "USER:",
    "ASSISTANT:",
    "助手",
)
_MARKS = re.compile(
    r"^[ \t]{0,9}\#{2,3} ?(?:Instructions?|Response|Input|Output|Human|User|Assistant|System"
    r"|指令|输入|输出|回答|回复|用户|助手) ?[:：]"
    r"|<\|(?:im_start|im_end|endoftext|end_of_text|begin_of_text|eot_id|start_header_id|"
    r"end_header_id|user|assistant|system|end|eos|bos|endofturn|end_of_turn)\|>"
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<[｜|](?:User|Assistant|begin▁of▁sentence|end▁of▁sentence)[｜|]>|</s>"
    r"|^(?:Human|Assistant|USER|ASSISTANT|User|助手|用户|人类)\s?[:：].*\n(?:.*\n){0,40}?(?:Human|Assistant|USER|ASSISTANT|User|助手|用户|人类)\s?[:：]",
    re.MULTILINE,
)  # fmt: skip
#: The row is about prompt formats, and shows them.
_ABOUT = re.compile(
    r"prompt (?:format|template)|chat ?template|special tokens?|chatml|instruction[- ]tun"
    r"|fine-?tun|tokeni[sz]er|\bllama\b|\balpaca\b"
    r"|system prompt"
    r"|提示词|模板|特殊词元|特殊标记|微调|分词器",
    re.IGNORECASE,
)


def look() -> Look:
    """The step."""
    return _look


def _look(seen: Seen) -> Found | None:
    text = seen.text
    if not any(map(text.__contains__, _HINTS)):
        return None
    for message in seen.messages:
        found = _MARKS.search(message.text)
        if found and not _ABOUT.search(text) and not (found[0] == "</s>" and "<s>" in text):
            return Found(excerpt(message.text, found.start(), min(found.end(), found.start() + 60)))
    return None
