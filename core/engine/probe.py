"""The probe: before a run, its longest rows are rehearsed on the card; what does not fit is stepped down."""

from typing import Any

from core.codec import to_plain
from core.engine.gauge import Gauge
from core.engine.parts import Parts
from core.engine.workshop import Workshop
from core.events import Noted, Stage, StageName
from core.jobs.talk import Talk
from core.ladder import smaller
from core.plan import TrainingPlan
from core.problems import Code, Trouble, diagnose

#: A plan is not tried when so much of its predicted memory alone is more than the room.
HOPELESS = 0.85


def proven(shop: Workshop, plan: TrainingPlan, gauge: Gauge, talk: Talk) -> Parts:
    """Return the parts of `plan`, or of the first smaller plan whose rehearsal fits the gauge's room.

    What was changed and what it costs is told as notes. Raises Trouble(GPU_MEMORY) when nothing smaller is left,
    StopAsked, and what Workshop.make raises.
    """
    asked = plan
    while True:
        talk.emit(Stage(stage=StageName.PROBING))
        parts = _tried(shop, plan, gauge, talk)
        if parts is not None:
            break
        gauge.release()
        below = _next(shop, plan, gauge.room_bytes)
        if below is None:
            raise Trouble(Code.GPU_MEMORY, needed_bytes=shop.predicted_bytes(plan), free_bytes=gauge.room_bytes)
        plan = below
    if plan != asked:
        talk.emit(Noted(code="probe_stepped", facts={"room_bytes": gauge.room_bytes, "plan": to_plain(plan)}))
        for reason in shop.cost(asked, plan):
            talk.emit(Noted(code=reason.code, facts=reason.facts))
    talk.emit(Noted(code="probe_fits", facts=_proof(shop, parts, gauge)))
    gauge.let_go()
    return parts


def _tried(shop: Workshop, plan: TrainingPlan, gauge: Gauge, talk: Talk) -> Parts | None:
    """The plan's parts after a rehearsal that fitted, else None; nothing of it holds memory then."""
    parts = None
    try:
        with gauge.measuring():
            parts = shop.make(plan)
            parts.rehearse(talk)
    except Exception as error:
        if diagnose(error).code is not Code.GPU_MEMORY:
            raise
        parts = None
    return parts if gauge.need.total_bytes <= gauge.room_bytes else None


def _next(shop: Workshop, plan: TrainingPlan, room: int) -> TrainingPlan | None:
    """The next plan down the ladder that is worth a try, the last one in any case; None at the ladder's end."""
    below = smaller(plan)
    while below is not None and HOPELESS * shop.predicted_bytes(below) > room:
        further = smaller(below)
        if further is None:
            break
        below = further
    return below


def _proof(shop: Workshop, parts: Parts, gauge: Gauge) -> dict[str, Any]:
    measured = gauge.need.total_bytes
    return {
        "measured_bytes": measured,
        "room_bytes": gauge.room_bytes,
        "left_bytes": gauge.room_bytes - measured,
        "predicted_bytes": shop.predicted_bytes(parts.plan),
        "tokens": parts.longest,
        "batch": parts.plan.batch,
    }
