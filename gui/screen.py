"""Whether there is a screen for the window: without one Qt ends the whole process, with words for programmers."""

import os
import sys
from collections.abc import Mapping

from core.i18n import _
from core.wording import joined

#: Where a desktop would say that it is there.
DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY")


def no_screen(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> str:
    """What to say instead of opening the window; "" where it can be tried.

    Only Linux comes without a desktop. Whoever names a way of drawing (QT_QPA_PLATFORM) is believed, but for X11
    and Wayland, which need one.
    """
    way = environment.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    needed = way == "xcb" or way.startswith("wayland") or not way
    if not system.startswith("linux") or not needed or any(environment.get(name) for name in DESKTOPS):
        return ""
    return joined(
        _("There is no screen here to open a window on."),
        _("Every command works without one."),
        _("“solotune --help” lists them."),
    )
