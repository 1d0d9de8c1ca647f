"""How many rows a second are cleaned on one core, step by step and altogether, and how much memory that takes.

Run: python -m tests.bench.clean [rows]. Prints figures for rows as Alpaca files hold them, half of them Chinese, with
duplicates, near duplicates and everything else that the steps look for; then the memory for five times as many rows.
`--peer` as a first argument adds a plain pipeline of datasets.map and filter with the same steps, one after the other,
and datasketch (pip install datasketch) for near duplicates, as its documentation shows it.
Every figure is taken in a process of its own; rows are made while they are read, so none of the memory is theirs.
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from core.data.clean import Cleaning, Mode, StepName, Switch
from core.data.clean.look import Look
from core.data.clean.pipeline import clean
from core.data.rows import Conversation, Message

_ENGLISH = [
    "the", "of", "to", "and", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not",
    "he", "his", "but", "at", "are", "this", "have", "from", "or", "had", "an", "they", "which", "one", "you",
    "were", "all", "her", "she", "there", "would", "their", "we", "him", "been", "has", "when", "who", "will",
    "no", "more", "if", "out", "so", "up", "said", "what", "its", "about", "than", "into", "them", "can",
    "only", "other", "time", "new", "some", "could", "these", "two", "may", "first", "then", "do", "any",
    "like", "my", "now", "over", "such", "our", "man", "me", "even", "most", "made", "after", "also", "did",
    "many", "off", "before", "must", "well", "back", "through", "years", "where", "much", "your", "way",
    "down", "should", "because", "long", "each", "just", "state", "those", "people", "too", "mr", "how",
    "little", "good", "world", "make", "very", "year", "still", "see", "own", "work", "men", "day", "get",
    "here", "old", "life", "both", "between", "being", "under", "three", "never", "know", "same", "last",
    "another", "while", "us", "might", "great", "go", "come", "since", "against", "right", "came", "take",
    "used", "himself", "few", "house", "american", "use", "place", "during", "high", "without", "again",
    "home", "around", "small", "however", "found", "mrs",
]  # fmt: skip
_CHINESE = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种"
    "面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本"
    "去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比"
    "或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总"
    "次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做"
    "必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权"
    "收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信"
    "马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连"
    "断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存"
    "候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严"
)
_SPOILED = (
    lambda text, chance: text.replace(" ", "\u200b ", 1),
    lambda text, chance: f"<p>{text}</p><br>&nbsp;",
    lambda text, chance: f"{text} Mail anna{chance.randrange(999)}@mail.com, 138{chance.randrange(10**8):08}.",
    lambda text, chance: "As an AI language model, I cannot do that. " + text,
    lambda text, chance: text + " and so on and so forth" * 12,
    lambda text, chance: f"### Instruction:\n{text}",
    lambda text, chance: f"donâ€™t {text}",
    lambda text, chance: "...",
)


def rows(count: int) -> Iterator[Conversation]:
    """Rows of about 450 letters: 5 % exact and 5 % near duplicates of earlier ones, 4 % spoiled in some way."""
    chance, earlier = random.Random(1), list[tuple[str, str]]()
    for number in range(count):
        lot = chance.random()
        if earlier and lot < 0.1:
            asked, answer = chance.choice(earlier)
            if lot < 0.05:
                words = list(answer)
                words[chance.randrange(len(words))] = "x"
                answer = "".join(words) + chance.choice(("", "!", " Yes."))
        else:
            asked, answer = _text(chance, 12, number), _text(chance, 70, number)
        if len(earlier) < 5_000:
            earlier.append((asked, answer))
        elif chance.random() < 0.1:
            earlier[chance.randrange(5_000)] = (asked, answer)
        if lot > 0.96:
            answer = chance.choice(_SPOILED)(answer, chance)
        yield Conversation((Message("user", asked), Message("assistant", answer)), "made.jsonl", number + 1)


def _text(chance: random.Random, words: int, number: int) -> str:
    if number % 2:
        return " ".join(chance.choices(_ENGLISH, k=words)).capitalize() + "."
    return "".join(chance.choices(_CHINESE, k=words * 3)) + "。"


def measure(count: int, names: tuple[StepName, ...], *, made_only: bool = False) -> dict[str, float]:
    """Clean so many rows with these steps; seconds of the processor and the largest memory of this process."""
    cleaning = Cleaning(tuple(Switch(name, Mode.ACT) for name in names))
    began = time.process_time()
    if made_only:
        kept = sum(1 for _row in rows(count))
        dropped = 0
    else:
        with clean(rows(count), cleaning) as cleaned:
            kept = sum(1 for _row in cleaned)
            dropped = cleaned.report.rows - cleaned.report.kept
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": count, "kept": kept, "dropped": dropped, "seconds": seconds, "peak_mb": peak / 1e6}


def peer(count: int) -> dict[str, float]:
    """The same steps as people write them with datasets and datasketch, in one process."""
    import tempfile

    import datasets
    from datasketch import MinHash, MinHashLSH

    from core.data.clean.look import Seen
    from core.data.clean.report import Effect
    from core.data.clean.steps import STEPS

    datasets.disable_progress_bars()

    def told(row: dict[str, str]) -> Conversation:
        return Conversation((Message("user", row["instruction"]), Message("assistant", row["output"])))

    def made() -> Iterator[dict[str, str]]:
        for row in rows(count):
            yield {"instruction": row.messages[0].content, "output": row.messages[1].content}

    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        data = datasets.Dataset.from_generator(made, cache_dir=folder, keep_in_memory=False)
        for step in STEPS:
            if step.look is None:
                continue
            look = step.look(Cleaning())
            if step.acts is Effect.CHANGED:

                def repair(row: dict[str, str], look: Look = look) -> dict[str, str]:
                    found = look(Seen(told(row)))
                    if not found or not found.changed:
                        return row
                    asked, answer = found.changed.messages
                    return {"instruction": asked.content, "output": answer.content}

                data = data.map(repair, cache_file_name=f"{folder}/{step.name}.arrow")
            else:
                data = data.filter(
                    lambda row, look=look: look(Seen(told(row))) is None, cache_file_name=f"{folder}/{step.name}.arrow"
                )
        seen = set[tuple[str, str]]()

        def first(row: dict[str, str]) -> bool:
            key = (row["instruction"], row["output"])
            return not (key in seen or seen.add(key))

        data = data.filter(first, cache_file_name=f"{folder}/exact.arrow")
        index, number = MinHashLSH(threshold=0.8, num_perm=128), iter(range(count))

        def new(row: dict[str, str]) -> bool:
            text = (row["instruction"] + " " + row["output"]).lower()
            size = 5 if text.isascii() else 3
            digest = MinHash(num_perm=128)
            digest.update_batch({text[place : place + size].encode() for place in range(len(text) - size + 1)})
            if index.query(digest):
                return False
            index.insert(next(number), digest)
            return True

        data = data.filter(new, cache_file_name=f"{folder}/near.arrow")
        kept = sum(1 for _row in data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": count, "kept": kept, "dropped": 0, "seconds": time.process_time() - began, "peak_mb": peak / 1e6}


def _apart(count: int, *names: str) -> dict[str, float]:
    out = subprocess.run(
        [sys.executable, "-m", "tests.bench.clean", "--one", str(count), *names],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return dict(json.loads(out))


def main() -> None:
    """Print the figures."""
    if sys.argv[1:2] == ["--one"]:
        if sys.argv[3:] == ["peer"]:
            print(json.dumps(peer(int(sys.argv[2]))))
            return
        chosen = tuple(map(StepName, sys.argv[3:])) if sys.argv[3:] != ["made"] else ()
        print(json.dumps(measure(int(sys.argv[2]), chosen, made_only=sys.argv[3:] == ["made"])))
        return
    with_peer = "--peer" in sys.argv
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
    count = numbers[0] if numbers else 100_000
    made, nothing = _apart(count, "made"), _apart(count)
    print(f"{count:,} rows; {made['seconds'] / count * 1e6:.0f} µs to make a row (left out below)")
    cost = nothing["seconds"] - made["seconds"]
    print(f"{'no step':12} {count / cost:10,.0f} rows/s {nothing['peak_mb']:8.0f} MB")
    for name in StepName:
        one = _apart(count, name)
        micro = (one["seconds"] - nothing["seconds"]) / count * 1e6
        print(f"{name:12} {micro:8.1f} µs/row {one['peak_mb']:8.0f} MB {one['dropped']:8,.0f} dropped")
    every = _apart(count, *StepName)
    print(f"{'all':12} {count / (every['seconds'] - made['seconds']):10,.0f} rows/s {every['peak_mb']:8.0f} MB")
    if with_peer:
        other = _apart(count, "peer")
        pace = count / (other["seconds"] - made["seconds"])
        kept = f"{other['kept']:,} kept where we keep {every['kept']:,}"
        print(f"{'datasets.map':12} {pace:10,.0f} rows/s {other['peak_mb']:8.0f} MB, {kept}")
    more = _apart(5 * count, *StepName)
    seconds = more["seconds"] - 5 * made["seconds"]
    print(f"{'all, x 5':12} {5 * count / seconds:10,.0f} rows/s {more['peak_mb']:8.0f} MB")


if __name__ == "__main__":
    main()
