"""Numbers as people read them: memory, time, counts, shares."""

import math

from core.i18n import _, ngettext


def gigabytes(n: float) -> str:
    """Bytes as decimal gigabytes: "10.9 GB"; below one gigabyte "135 MB", below one megabyte "12 kB"."""
    size = abs(n)
    if size >= 999.5e6:
        return f"{n / 1e9:,.1f} GB"
    if size >= 999.5e3:
        return f"{n / 1e6:.0f} MB"
    return f"{n / 1e3:.0f} kB" if size >= 500 else "0 MB"


def about(n: float, band: float) -> str:
    """Bytes with how far they may be off: "9.8 GB ± 0.4"."""
    said, unit = gigabytes(n).rsplit(" ", 1)
    if unit == "GB":
        return f"{said} GB ± {max(band, 0.05e9) / 1e9:.1f}"
    return f"{said} {unit} ± {max(round(band / (1e6 if unit == 'MB' else 1e3)), 1)}"


def energy(kwh: float) -> str:
    """Energy as the meter at home counts it: "1.3 kWh"; below a tenth of that "42 Wh"."""
    return f"{kwh:,.1f} kWh" if kwh >= 0.095 else f"{1000 * kwh:.0f} Wh"


def duration(seconds: float) -> str:
    """A time span as people say it: "a few seconds", "about 3 minutes", "2 h 5 min", "1 day 4 h"."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 7.5:
        return _("a few seconds")
    if seconds < 57.5:
        return _("about {n} seconds").format(n=5 * round(seconds / 5))
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return ngettext("about {n} minute", "about {n} minutes", minutes).format(n=minutes)
    if minutes < 24 * 60:
        return _hours(*divmod(minutes, 60))
    return _days(*divmod(round(minutes / 60), 24))


def count(n: int) -> str:
    """A whole number with thousands separators."""
    return f"{n:,}"


def percent(share: float) -> str:
    """A share of one: "8 %". All of it is 100 % and nothing is 0 %; what comes close is 99 % and 1 %."""
    whole = round(100 * share)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return _("{n} %").format(n=whole)


def _hours(hours: int, minutes: int) -> str:
    if not minutes:
        return _("{hours} h").format(hours=hours)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def _days(days: int, hours: int) -> str:
    said = ngettext("{n} day", "{n} days", days).format(n=count(days))
    return said if not hours else _("{days} {hours} h").format(days=said, hours=hours)
