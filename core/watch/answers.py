"""What the answers during training say: they repeat themselves, are all the same, or change without settling (D3)."""

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from statistics import fmean

from core.data.clean.languages import script_of
from core.data.clean.loops import loop_in
from core.events import Sampled, Side
from core.history import RunHistory
from core.plan import TrainingPlan
from core.watch.observation import Observation, Severity, WatchCode

#: Letters of an answer that are shown as an example.
_SHOWN = 80
#: Words, Chinese letters each on their own: what repeats.
_UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
#: Of the last so many units of an answer this share of n-grams come twice when it goes round in circles.
_TAIL, _LEAST, _GRAM, _TWICE = 120, 24, 3, 0.5
#: This share of the answers, and at least two of them, make an observation.
_SHARE = 0.3
#: Answers of fewer letters are labels, and many questions share one.
_SHORT = 20
#: Rounds that are looked at; answers settle in the first ones.
_ROUNDS = 8
#: Samples among which those from before training are.
_BASE = 200
_SETTLED = 4
#: Answers drift when two rounds in a row keep less than this of the last one, and half as much as before.
_KEPT = 0.3

Round = dict[str, Sampled]


def answers(history: RunHistory, _plan: TrainingPlan) -> tuple[Observation, ...]:
    """What is odd about the newest round of samples."""
    rounds = _rounds(history)
    if not rounds or not rounds[-1]:
        return ()
    newest = list(rounds[-1].values())
    found = (_repeating(newest, _base(history)), _same(newest), _drifting(rounds))
    return tuple(each for each in found if each is not None)


@lru_cache(maxsize=1024)
def repeats(text: str) -> bool:
    """Whether a text, in Chinese or English or any other words, goes round in circles at its end."""
    units = _UNIT.findall(text.lower())[-_TAIL:]
    grams = list(zip(*(units[start:] for start in range(_GRAM)), strict=False))
    if len(units) >= _LEAST and 1 - len(set(grams)) / len(grams) > _TWICE:
        return True
    return bool(loop_in(text))


def _rounds(history: RunHistory) -> list[Round]:
    """The tuned model's answers by question, oldest round first; the newest rounds only."""
    rounds: list[Round] = []
    step = -1
    for sample in reversed(history.sampled):
        if sample.side is not Side.TUNED or sample.step <= 0:
            continue
        if sample.step != step:
            if len(rounds) == _ROUNDS:
                break
            rounds.append({})
            step = sample.step
        rounds[-1].setdefault(sample.question, sample)
    return rounds[::-1]


def _base(history: RunHistory) -> list[Sampled]:
    """The answers before training."""
    return [sample for sample in history.sampled[:_BASE] if sample.side is Side.BASE or sample.step == 0]


def _repeating(newest: list[Sampled], base: list[Sampled]) -> Observation | None:
    """Answers that go in circles, more of them than before training, where that is known."""
    odd = [sample for sample in newest if repeats(sample.answer) and not repeats(sample.expected)]
    before = len({sample.question for sample in base if repeats(sample.answer)})
    if not _many(odd, newest) or len(odd) <= before:
        return None
    facts = {"answers": len(odd), "of": len(newest), "example": _end(odd[0].answer)}
    return _seen(WatchCode.REPEATING, Severity.CAUTION, newest, facts)


def _end(answer: str) -> str:
    """Its last words, the first of them a whole one."""
    cut = answer[-_SHOWN:]
    return cut.partition(" ")[2] or cut if len(answer) > _SHOWN else answer


def _same(newest: list[Sampled]) -> Observation | None:
    """One and the same long answer to different questions."""
    answer, times = Counter(" ".join(sample.answer.split()) for sample in newest).most_common(1)[0]
    giving = [sample for sample in newest if " ".join(sample.answer.split()) == answer]
    expected = {sample.expected for sample in giving if sample.expected}
    if len(answer) < _SHORT or times < 3 or times < 0.6 * len(newest) or len(expected) == 1:
        return None
    facts = {"answers": times, "of": len(newest), "example": answer[:_SHOWN]}
    return _seen(WatchCode.SAME_ANSWER, Severity.TROUBLE, newest, facts)


def _drifting(rounds: list[Round]) -> Observation | None:
    """Answers that had settled and change again, or are in another script than before."""
    newest = list(rounds[-1].values())
    odd = [sample for sample in newest if _other_script(sample)]
    if _many(odd, newest):
        facts: dict[str, object] = {"answers": len(odd), "of": len(newest), "scripts": len(odd)}
        return _seen(WatchCode.DRIFTING, Severity.CAUTION, newest, facts)
    kept = [_kept(before, after) for before, after in pairwise(rounds)]
    if len(kept) < _SETTLED or len(newest) < 2:
        return None
    limit = min(_KEPT, 0.5 * max(kept[:-2]))
    if max(kept[-2:]) >= limit:
        return None
    pairs = ((rounds[-2][name], sample) for name, sample in rounds[-1].items() if name in rounds[-2])
    changed = sum(_alike(before.answer, after.answer) < limit for before, after in pairs)
    return _seen(WatchCode.DRIFTING, Severity.CAUTION, newest, {"answers": changed, "of": len(newest)})


def _other_script(sample: Sampled) -> bool:
    """Whether an answer is in another script than the answer of the data."""
    wanted, said = _script(sample.expected), _script(sample.answer)
    return bool(wanted and said) and wanted != said and {wanted, said} != {"han", "kana"}


def _kept(before: Round, after: Round) -> float:
    shared = [_alike(before[name].answer, after[name].answer) for name in after if name in before]
    return fmean(shared) if shared else 1.0


@lru_cache(maxsize=4096)
def _alike(one: str, other: str) -> float:
    """How much two texts share: the Jaccard index of their pieces of three letters."""
    a, b = _pieces(one), _pieces(other)
    return len(a & b) / len(a | b) if a | b else 1.0


@lru_cache(maxsize=1024)
def _pieces(text: str) -> frozenset[str]:
    text = " ".join(text.lower().split())[:4000]
    return frozenset(text[at : at + 3] for at in range(max(len(text) - 2, 1)))


@lru_cache(maxsize=2048)
def _script(text: str) -> str:
    return script_of(text)


def _many(odd: list[Sampled], of: list[Sampled]) -> bool:
    return len(odd) >= max(min(2, len(of)), _SHARE * len(of))


def _seen(code: WatchCode, severity: Severity, newest: list[Sampled], facts: dict[str, object]) -> Observation:
    return Observation(code, severity, newest[0].step, newest[0].step, facts)
