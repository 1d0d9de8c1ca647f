"""Which step of a timeline the mouse or a key points at."""

from PySide6.QtCore import Qt

from gui.timeline import Timeline


def pointed_at(timeline: Timeline, moment: float, reach: float) -> int:
    """The place of the spike within `reach` seconds of a moment, else of the step next to it; -1 for none."""
    times = timeline.loss.x.view()
    near = [place for place in timeline.spikes if abs(times[place] - moment) <= reach]
    if near:
        return min(near, key=lambda place: float(abs(times[place] - moment)))
    return timeline.nearest_step(moment)


def moved(timeline: Timeline, place: int, key: Qt.Key) -> int | None:
    """Where a key leads from a step: to its neighbours, to both ends, to the spikes; -1 for Escape, None for others."""
    last, spikes = timeline.loss.x.size - 1, timeline.spikes
    if last < 0:
        return None
    place = place if place >= 0 else last
    return {
        Qt.Key.Key_Left: max(place - 1, 0), Qt.Key.Key_Right: min(place + 1, last), Qt.Key.Key_Home: 0,
        Qt.Key.Key_End: last, Qt.Key.Key_Escape: -1,
        Qt.Key.Key_Up: max((spike for spike in spikes if spike < place), default=place),
        Qt.Key.Key_Down: min((spike for spike in spikes if spike > place), default=place),
    }.get(key)  # fmt: skip
