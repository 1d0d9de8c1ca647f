"""The rows of a run as tokens with labels: prepared, encoded, asserted."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePath

from core.data.codes import OF_TEMPLATE
from core.data.inspect import Refuses
from core.data.kept import changed, kept, order_of
from core.data.modeltokens import open_template
from core.data.prepare import prepare
from core.data.prepared import Prepared
from core.data.rows import Conversation
from core.data.source import Halted
from core.engine.encoding import ChatFormat, Encoded
from core.engine.processes import is_first
from core.events import Noted, Stage, StageName
from core.hub import find_folder
from core.jobs.talk import StopAsked, Talk
from core.plan import TrainingPlan
from core.problems import Code, Trouble
from core.settings import load, models_root


@dataclass(frozen=True)
class Rows:
    """What a run trains and checks with.

    `stages` says how many of the rows of `train` each stage has, and its epochs; () when the plan has no stages.
    """

    train: list[Encoded]
    validation: list[Encoded]
    stages: tuple[tuple[int, float], ...] = ()


def prepare_rows(plan: TrainingPlan, talk: Talk, folder: Path | None = None, *, begun: bool = False) -> Prepared:
    """Read, clean, mix and split the plan's files and tell what is special; `folder` keeps the rows.

    A run that has `begun` goes on with the rows that it kept, and so does one whose files are gone. Raises
    Trouble(DATA_CHANGED) where a run that has begun kept none and a file is not what it was, StopAsked, and what
    `core.data.prepare.prepare` raises.
    """
    talk.emit(Stage(stage=StageName.READING))
    if folder is not None and (known := _begun_with(plan, talk, folder, begun=begun)):
        return known
    try:
        keep = folder if is_first() else None
        found = prepare(plan, stopped=lambda: talk.stop_requested, folder=keep, refuses=_refusing(plan))
    except Halted:
        raise StopAsked(0) from None
    refused = [problem for problem in found.report.problems if problem.code in OF_TEMPLATE]
    if refused:
        facts = {"rows": len(refused), "file": PurePath(refused[0].file).name, "line": refused[0].line}
        talk.emit(Noted(code="rows_refused", facts=facts))
    if found.clean_report is not None:
        report = found.clean_report
        facts = {"rows": report.rows, "kept": report.kept, "changed": report.changed}
        talk.emit(Noted(code="rows_cleaned", facts=facts))
    if found.mixed_wanted:
        talk.emit(Noted(code="rows_mixed", facts={"rows": found.mixed, "wanted": found.mixed_wanted}))
    if found.shared:
        talk.emit(Noted(code="validation_shared", facts={"rows": found.shared}))
    if folder is not None and not found.kept:
        talk.emit(Noted(code="rows_not_kept"))
    return found


def _refusing(plan: TrainingPlan) -> Refuses | None:
    """What the model's template cannot show; None where there is none to ask: loading it will say why."""
    try:
        template = open_template(find_folder(plan.model, models_root(load())))
    except Trouble:
        return None
    return template.refuses if template is not None else None


def _begun_with(plan: TrainingPlan, talk: Talk, folder: Path, *, begun: bool) -> Prepared | None:
    """The rows that a run kept when it began; None when it kept none, or its plan now asks for others."""
    order = order_of(folder, plan)
    if order is None:
        return None
    different = changed(order)
    if not begun and all(different.values()):
        # nothing was learned yet: whoever mended a file wants it to be read
        return None
    found = kept(folder, plan)
    for name, is_there in different.items():
        facts = {"file": PurePath(name).name}
        if found is None and is_there and begun:
            raise Trouble(Code.DATA_CHANGED, path=name)
        if found is not None:
            talk.emit(Noted(code="data_changed", facts=facts) if is_there else Noted(code="data_gone", facts=facts))
    return found


def conversations(plan: TrainingPlan, talk: Talk) -> tuple[list[Conversation], list[Conversation]]:
    """The training and validation rows before they are encoded. Raises like `prepare_rows`."""
    found = prepare_rows(plan, talk)
    return found.train, found.validation


def read_rows(plan: TrainingPlan, chat: ChatFormat, talk: Talk, folder: Path | None = None) -> Rows:
    """Prepare and encode the training and validation rows.

    Raises Trouble(NOTHING_TO_LEARN) and what `prepare_rows` raises.
    """
    return encode_rows(prepare_rows(plan, talk, folder), plan, chat, talk)


def encode_rows(found: Prepared, plan: TrainingPlan, chat: ChatFormat, talk: Talk) -> Rows:
    """Encode prepared rows, cut at the plan's length. Raises Trouble(NOTHING_TO_LEARN) and StopAsked."""
    if chat.fallback:
        talk.emit(Noted(code="template_fallback"))
    encoded = iter(_encode(found.train, plan, chat, talk))
    stages = [[row for row in islice(encoded, len(stage.rows)) if row is not None] for stage in found.stages]
    validation = [row for row in _encode(found.validation, plan, chat, talk) if row is not None]
    if not all(stages):
        raise Trouble(Code.NOTHING_TO_LEARN, rows=len(found.train), tokens=plan.tokens)
    facts = {"rows": len(validation), "tokens": sum(len(row.ids) for row in validation)}
    talk.emit(Noted(code="validation_rows", facts=facts))
    parts = tuple((len(rows), stage.epochs) for rows, stage in zip(stages, found.stages, strict=True))
    return Rows([row for rows in stages for row in rows], validation, parts if plan.stages else ())


def _encode(rows: list[Conversation], plan: TrainingPlan, chat: ChatFormat, talk: Talk) -> list[Encoded | None]:
    """Each row as tokens, None where no answer is left of it."""
    # a row that an epoch or several stages see more than once is one object
    known: dict[int, Encoded | None] = {}
    for done, row in enumerate(rows):
        if done % 500 == 0:
            talk.emit(Stage(stage=StageName.ENCODING, done=done, total=len(rows), unit="rows"))
            if talk.stop_requested:
                raise StopAsked(0)
        if id(row) not in known:
            encoded = chat.encode(row.plain(), plan.tokens, row.definitions())
            known[id(row)] = encoded and replace(encoded, file=row.file, line=row.line)
    whole = [row for row in known.values() if row is not None]
    truncated = sum(row.truncated for row in whole)
    if truncated:
        talk.emit(Noted(code="rows_truncated", facts={"rows": truncated, "tokens": plan.tokens}))
    if len(whole) < len(known):
        talk.emit(Noted(code="rows_skipped", facts={"rows": len(known) - len(whole)}))
    _assert_end_is_trained(whole)
    return [known[id(row)] for row in rows]


def _assert_end_is_trained(rows: list[Encoded]) -> None:
    """A model whose answers never end in training never stops talking."""
    for row in rows:
        if row.never_ends:
            raise Trouble(Code.NOTHING_TO_LEARN, reason="the end-of-turn token is not trained")
