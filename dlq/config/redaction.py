"""How the values of settings are shown, everywhere: for people, in JSON, in messages. A secret is
shown as ******** in all of them, whatever it is."""

from __future__ import annotations

import json
import math
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from dlq.config.settings import SECRETS
from dlq.primitives.json_values import json_compatible
from dlq.primitives.text import short_repr

MASK = "********"
LIMIT = 200
"""Characters of a value in a message; the line where it is written has all of it."""


def display(name: str, value: object) -> str:
    """Write a value for people, in the notation of JSON: `{"images": 6}`, `true`, `********`."""
    shown = json_value(name, value)
    return MASK if shown == MASK else json.dumps(shown, ensure_ascii=True)


def json_value(name: str, value: object) -> Any:
    """Return a value as JSON can carry it, without secrets."""
    if name in SECRETS:
        return _masked(name, value)
    return json_compatible(value, _json_scalar)


def in_message(name: str, value: object) -> str:
    """Write a value as Python does, cut; only the type of a secret."""
    if name in SECRETS:
        return f"of type {type(value).__name__}"
    return short_repr(_without_credentials(value) if isinstance(value, str) else value, LIMIT)


def _masked(name: str, value: object) -> str | None:
    """Mask a secret. None is no secret, and what follows the credentials of a URL may be shown."""
    if value is None:
        return None
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if name != "REDIS_URL" or not isinstance(text, str):
        return MASK
    return masked_url(text)


def masked_url(url: str) -> str:
    """Mask user and password of a URL, and its query, which may hold a password too."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        # A second look at what is left: an unescaped / or @ in a password moves it out of place.
        odd = "@" in parts.path or "@" in parts.query or "@" in parts.fragment or not parts.scheme
        _ = parts.port
    except ValueError:
        return MASK
    if odd:
        return MASK
    credentials = f"{MASK}@" if "@" in parts.netloc else ""
    query = f"?{MASK}" if parts.query else ""
    return f"{parts.scheme}://{credentials}{host}{parts.path}{query}"


def _without_credentials(text: str) -> str:
    """A URL with a password may stand where none belongs: in REDIS_HOST, for instance."""
    return masked_url(text) if "://" in text and "@" in text else text


def _json_scalar(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _without_credentials(value)
    if isinstance(value, SecretStr):
        return MASK
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if callable(value) and module is not None and name is not None:
        return f"{module}.{name}"
    return f"<{type(value).__name__}>"
