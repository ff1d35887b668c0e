"""Names of the time zone database, with the name that was probably meant."""

from __future__ import annotations


def time_zone_help(name: str) -> str | None:
    """What to write instead of a name that the time zone database doesn't have; None where it has
    the name."""
    if name == "UTC":
        return None
    from difflib import get_close_matches
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except Exception:  # a path, a directory or a file that is no zone: each raises something else
        zones = sorted(available_timezones())
        wanted = name.replace(" ", "_")
        close = [zone for zone in zones if zone.rpartition("/")[2].lower() == wanted.lower()]
        close += get_close_matches(wanted, zones, 1)
        return (
            f"did you mean {close[0]!r}?"
            if close
            else "use a name such as 'Europe/Berlin', or 'UTC'"
        )
    return None
