"""The rows of a run as tokens with labels: read, split, encoded, asserted."""

from typing import Any

from core.data.inspect import read_conversations
from core.data.rows import Conversation
from core.data.split import split
from core.engine.encoding import ChatFormat, Encoded
from core.events import Noted, Stage, StageName
from core.jobs.talk import StopAsked, Talk
from core.plan import TrainingPlan
from core.problems import Code, Trouble


def read_rows(plan: TrainingPlan, chat: ChatFormat, talk: Talk) -> tuple[list[Encoded], list[Encoded]]:
    """Read and encode the training and validation rows. Raises Trouble(NOTHING_TO_LEARN) and what reading raises."""
    talk.emit(Stage(stage=StageName.READING))
    conversations, _report = read_conversations(plan.data)
    if plan.validation:
        held_back, _ = read_conversations((plan.validation,))
    else:
        conversations, held_back = split(conversations, plan.validation_share, plan.seed)
    if chat.fallback:
        talk.emit(Noted(code="template_fallback"))
    rows = _encode(conversations, plan, chat, talk)
    validation = _encode(held_back, plan, chat, talk)
    if not rows:
        raise Trouble(Code.NOTHING_TO_LEARN, rows=len(conversations), tokens=plan.tokens)
    talk.emit(Noted(code="validation_rows", facts={"rows": len(validation)}))
    return rows, validation


def _encode(rows: list[Conversation], plan: TrainingPlan, chat: ChatFormat, talk: Talk) -> list[Encoded]:
    encoded: list[Encoded] = []
    for done, row in enumerate(rows):
        if done % 500 == 0:
            talk.emit(Stage(stage=StageName.ENCODING, done=done, total=len(rows), unit="rows"))
            if talk.stop_requested:
                raise StopAsked(0)
        found = chat.encode(row.plain(), plan.tokens)
        if found is not None:
            encoded.append(found)
    truncated = sum(row.truncated for row in encoded)
    if truncated:
        talk.emit(Noted(code="rows_truncated", facts={"rows": truncated, "tokens": plan.tokens}))
    if len(encoded) < len(rows):
        talk.emit(Noted(code="rows_skipped", facts={"rows": len(rows) - len(encoded)}))
    _assert_end_is_trained(encoded, chat)
    return encoded


def _assert_end_is_trained(rows: list[Encoded], chat: ChatFormat) -> None:
    """A model whose answers never end in training never stops talking."""
    for row in rows:
        if not row.truncated and chat.end_id not in row.labels:
            raise Trouble(Code.NOTHING_TO_LEARN, reason="the end-of-turn token is not trained")


def fed(rows: list[Encoded]) -> list[dict[str, Any]]:
    """Rows as the trainer takes them."""
    return [{"input_ids": row.ids, "labels": row.labels} for row in rows]
