"""How many rows a second are looked through for private data and masked, on one core.

Run: python -m tests.bench.private [rows]. Prints rows a second over generated Alpaca-style rows, half of them Chinese,
and the time a megabyte of the worst letters takes.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from core.data.private import Masker, find
from core.data.rows import Conversation, Message

_ENGLISH = (
    "Explain how a binary search tree keeps its balance when nodes are removed.", "In 1969 about 650 million people "
    "watched the landing.", "The mean of 3.5, 4.25 and 7 is 4.92, which rounds to 5.", "Give three tips for healthy "
    "sleep: keep fixed hours, avoid screens, and cool the room to 18 degrees.", "Use `pip install numpy==2.1.0` and "
    "call np.dot(a, b).", "Summarise the article in one paragraph and keep the author's tone.",
)  # fmt: skip
_CHINESE = (
    "请解释二叉搜索树在删除节点时如何保持平衡。", "1969年约有6.5亿人观看了登月直播。",
    "3.5、4.25和7的平均数约为4.92，四舍五入为5。",
    "给出三条健康睡眠的建议：固定作息、睡前远离屏幕、卧室保持18度左右。",
    "可以使用pip安装numpy，然后调用np.dot(a, b)。", "请用一段话概括这篇文章，并保留作者的语气。",
    "保险合同自2023年5月1日起生效，期限为12个月。",
)  # fmt: skip
_NUMBERS = (
    "Order 202511031234567890 ships on 2025-11-03 at 14:05:59.", "commit 67050a5a20ef0650891e0ab0f7504b7024e1c2f1",
    "总人口为14117800000，ISBN 978-7-111-54742-6。", "GPS 31.23041612, 121.47370123; 2^64 = 18446744073709551616",
)  # fmt: skip


def rows(count: int, private: float = 0.0, numbers: float = 0.1) -> list[Conversation]:
    """Rows of about 500 letters; the shares tell how many hold private data, and how many long harmless numbers."""
    chance = random.Random(1)
    made = []
    for number in range(count):
        chinese = number % 2 == 0
        sentences, length = (_CHINESE, 16) if chinese else (_ENGLISH, 7)
        answer = chance.choices(sentences, k=length)
        if chance.random() < numbers:
            answer.append(chance.choice(_NUMBERS))
        if chance.random() < private:
            phone = f"138{chance.randrange(10**8):08}"
            answer.append(
                f"电话{phone}，邮箱user{number}@qq.com。" if chinese else f"Mail user{number}@mail.com, {phone}."
            )
        messages = (Message("user", chance.choice(sentences)), Message("assistant", " ".join(answer)))
        made.append(Conversation(messages, "made", number))
    return made


def look(chosen: list[Conversation]) -> dict[str, float]:
    """Rows a second of `find`, and what it found."""
    began = time.process_time()
    found = Counter(one.kind for row in chosen for message in row.messages for one in find(message.content))
    seconds = time.process_time() - began
    return {"rows_per_second": round(len(chosen) / seconds), "microseconds_a_row": seconds / len(chosen) * 1e6, **found}


def mask(chosen: list[Conversation]) -> dict[str, float]:
    """Rows a second of masking."""
    masker = Masker()
    began = time.process_time()
    changed = sum(masker.mask(row) is not row for row in chosen)
    seconds = time.process_time() - began
    return {"rows_per_second": round(len(chosen) / seconds), "changed": changed}


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    plain, mixed = rows(count), rows(count, private=0.05)
    letters = sum(len(message.content) for row in plain for message in row.messages) / count
    figures = {
        "rows": count,
        "letters_a_row": round(letters),
        "find, no long numbers": look(rows(count, numbers=0)),
        "find, long numbers in 10 % of rows": look(plain),
        "find, private data in 5 % besides": look(mixed),
        "mask, private data in 5 % besides": mask(mixed),
        "seconds a megabyte": {
            piece: round(seconds(partial(find, piece * (10**6 // len(piece)))), 3)
            for piece in ("1", "@", ".", "a@", "1 2 3-", "+1234567890 ", "6222 2155 8028 3949 ", "phone: 123-4567 ")
        },
    }
    print(json.dumps(figures, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
