"""Durations as people say them."""


def in_words(seconds: float) -> str:
    """ "4.2 s", "42 s", "3 min 05 s", "1 h 12 min", "2 d 3 h"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 60:
        rest = whole % 60
        return f"{minutes} min" + (f" {rest:02d} s" if minutes < 5 and rest else "")
    if hours < 48:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24} h"
