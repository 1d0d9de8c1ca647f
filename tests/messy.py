"""Data as people have it: repeats, private data, broken rows, several shapes and encodings. All of it is made up.

python -m tests.messy FOLDER        writes the files; resources/samples/untidy.jsonl is its tickets.jsonl
"""

import json
import sys
from pathlib import Path

from core.assets import resource

LOOP = "Please restart the machine and wait a minute. " * 14
REFUSAL = "I'm sorry, but as an AI language model I cannot help with that request."
MOBILE, ID_CARD, MAIL, CARD = "13812345678", "11010519491231002X", "ines.kowalski@example.com", "4111 1111 1111 1111"


ASKED = "How do I take the machine apart and clean it after the season?"
LONG = (
    "Switch it off, pull the plug and let it cool for half an hour. Lift the lid, take out the basket and the glass, "
    "and rinse both under warm water. Wipe the heating plate with a damp cloth, never with a sponge. Unscrew the grey "
    "ring at the back, soak it in vinegar over night, dry it well and put a little grease on the seal. Put everything "
    "back in the opposite order and run it once with clear water before you store it in a dry and dark place."
)
WAYS = (
    "Where can I buy a new {}?", "My {} broke on Sunday, what now?", "Is it normal that the {} smells?",
    "Who repairs a cracked {} for me?", "I lost the {}. Can you send one?", "The {} came in the wrong colour!",
    "How much would another {} cost with postage?", "Does last year's {} fit this model?",
)  # fmt: skip
PARTS = (
    "lid", "pump", "hose", "handle", "display", "timer", "glass", "basket", "filter", "plug", "cable", "seal", "ring",
    "foot", "light", "speaker", "clock", "valve", "tray", "scale", "sensor", "brush", "cover", "case",
)  # fmt: skip


def _clean_rows(language: str) -> list[dict[str, str]]:
    text = resource("samples", f"support_{language}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _ask(question: str, answer: str) -> dict[str, str]:
    return {"instruction": question, "output": answer}


def tickets() -> list[str]:
    """Lines of a .jsonl file with every kind of trouble between good rows."""
    good = _clean_rows("en")[:90]
    lines: list[object] = [*good[:40]]
    lines += good[3:9]  # word for word
    lines += [_ask(ASKED, LONG), _ask(ASKED, LONG.replace("Lift", "Then lift")), _ask(ASKED + " Thanks!", LONG)]
    lines += [
        _ask(WAYS[n % len(WAYS)].format(part), "Please ask the Brine Desk, they will help you.")
        for n, part in enumerate(PARTS)
    ]
    lines += [
        _ask("Where can you reach me?", f"We will write to {MAIL} or call +49 30 901820 in the afternoon."),
        _ask(f"My mobile is {MOBILE}, can you call?", f"Of course: we call {MOBILE} between nine and five today."),
        _ask("我的身份证号要写哪里？", f"请把证件号 {ID_CARD} 写在表格的第二栏，客服会在当天核对您的资料。"),
        _ask("Which card did I pay with?", f"You paid with {CARD}; the invoice was sent to {MAIL} on Monday."),
        _ask(
            "How do I log in to the server?",
            "Connect to 203.0.113.77 and use sk-proj-Zx81kQ0bT7mLr2VnE5wYc3Hd9aPs6GfU.",
        ),
    ]
    lines += good[40:60]
    lines += [
        _ask("Does the lid come off?", "N/A"),
        _ask("How is the weather in the kitchen?", "test"),
        _ask("Is it heavy?", "..."),
        _ask("Why does it hum?", "It isnâ€™t broken: the pump hums while it fills, and thatâ€™s quite normal for it."),
        _ask("What does the green light mean?", "It means â€œreadyâ€\x9d. When it blinks, the brine is too cold."),
        _ask("How do I open it?", "<p>Press the <b>blue</b> button &amp; lift the lid.</p><br><a href='#'>More</a>"),
        _ask("Where is the manual?", '<div class="a"><ul><li>In the box</li><li>On the web page</li></ul></div>'),
        _ask("Tell me how the motor works inside.", REFUSAL),
        _ask("Can you write to the owner for me?", REFUSAL),
        _ask("The display is frozen.", LOOP.strip()),
        _ask("Can I use sea salt?", "### Instruction:\nCan I use sea salt?\n### Response:\nYes, if it has no iodine."),
        _ask("How long is the warranty?", "<|im_start|>assistant\nThree years from the day you bought it.<|im_end|>"),
        _ask(
            "How do I descale it every spring?",
            "把醋和水按一比三混合，倒入水箱，运行清洗程序两次，然后用清水冲洗干净。",
        ),
        _ask(
            "How do I clean the\u200b filter?",
            "Rinse it\u200b under warm\ufeff water and let it dry\u00ad for a whole day.",
        ),
        _ask("Please write the whole story of the machine.", "It began in a small town by the sea. " + _story()),
    ]
    lines += good[60:]
    found = [json.dumps(line, ensure_ascii=False) for line in lines]
    # what no reader can use, in its places
    found[5:5] = ['{"instruction": "Does it float?", "output": ""}', '{"instruction": "Half a row", "outp']
    found[30:30] = [
        '{"question_id": 17, "rating": 4}',
        "not json at all",
        '{"instruction": "", "output": "No question."}',
    ]
    return found


def _story() -> str:
    """A text of about 12,000 tokens that does not repeat itself."""
    things = ("pump", "lid", "salt", "light", "filter", "brine", "handle", "spring", "valve", "timer", "hose")
    doings = ("was tested by", "was carried past", "reminded", "puzzled", "was sold to", "stood beside", "outlived")
    people = ("the baker", "a sailor", "two sisters", "the mayor", "a teacher", "the night watch", "an old friend")
    return " ".join(
        f"In year {n} the {things[n % 11]} of model {n * 37 % 1009} {doings[n % 7]} {people[n * 3 % 7]}."
        for n in range(620)
    )


def write(folder: Path) -> list[str]:
    """Write the files into `folder` and return their paths: Alpaca lines, ShareGPT JSON, a GBK table, answer pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tickets.jsonl").write_text("\n".join(tickets()) + "\n", encoding="utf-8")
    chinese = _clean_rows("zh")
    table = "问题,回答\n" + "".join(f'"{row["instruction"]}","{row["output"]}"\n' for row in chinese[:40])
    (folder / "客服旧表.csv").write_bytes(table.encode("gbk"))
    chats = [
        {"conversations": [
            {"from": "human", "value": one["instruction"]}, {"from": "gpt", "value": one["output"]},
            {"from": "human", "value": two["instruction"]}, {"from": "gpt", "value": two["output"]},
        ]}
        for one, two in zip(_clean_rows("en")[100:140:2], _clean_rows("en")[101:140:2], strict=True)
    ]  # fmt: skip
    (folder / "chats.json").write_text(json.dumps(chats, ensure_ascii=False), encoding="utf-8")
    pairs = [
        {"prompt": row["instruction"], "chosen": row["output"], "rejected": "No idea."}
        for row in _clean_rows("en")[150:158]
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    return [str(folder / name) for name in ("tickets.jsonl", "chats.json", "客服旧表.csv", "pairs.jsonl")]


def archive(folder: Path) -> str:
    """A file with the rarer kinds of private data, and questions so long that their answers are never reached."""
    rows = [
        _ask("Where shall we send the refund?", "Please transfer it to DE89 3704 0044 0532 0130 00, in two parts."),
        _ask("Which server did the old shop run on?", "It ran on 84.17.52.9 and moved to the new host in the spring."),
        _ask("What did the customer in Ohio write?", "She sent her social security number 536-22-8712 by mistake."),
        _ask("海关还要什么资料？", "请提供护照号码 E12345678，海关核对以后会在两天内放行这批货物。"),
        _ask("周末怎么联系门店？", "请拨打门店座机 010-62345678，周末上午九点到下午五点有人接听电话。"),
    ]
    rows += [
        _ask(f"Read report {n} to its end and tell me the verdict. {_story()[n * 900 : n * 900 + 6000]}", "It passed.")
        for n in range(3)
    ]
    path = folder / "archive.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def checks(folder: Path) -> str:
    """A file to check with, of which some rows stand in the others too: word for word, nearly, or half asked anew."""
    good, other = _clean_rows("en"), _clean_rows("en")[160:190]
    rows = [*other, *good[10:14], *(_ask(row["instruction"], row["output"] + " Truly.") for row in good[20:23])]
    path = folder / "to_check.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def general(folder: Path) -> str:
    """General dialogue to mix in: a few small questions of every day."""
    things = ("a lamp", "a ladder", "an umbrella", "a kettle", "a map", "a scarf", "a drum", "a compass", "a sail")
    rows = [
        _ask(f"What is {thing} for, in {n} words?", f"{thing.capitalize()} helps on day {n} of a long journey home.")
        for n, thing in enumerate(things * 6, 3)
    ]
    path = folder / "everyday_talk.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    print("\n".join(write(Path(sys.argv[1]))))
