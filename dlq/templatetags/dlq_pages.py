"""Filters of the pages: users' text is made visible before Django escapes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import template

from dlq.primitives.text import printable, printable_lines
from dlq.web.gate import url_of

register = template.Library()


@register.filter
def visible(value: object) -> str:
    """Show text on one line; what doesn't print (control and bidi characters) as an escape."""
    return printable(str(value), 500)


@register.filter
def visible_lines(value: object) -> str:
    """Show text of several lines, likewise."""
    return printable_lines(str(value))


@register.filter
def as_arguments(value: object) -> str:
    """Show arguments of a job as JSON, cut."""
    return printable_lines(json.dumps(value, indent=2, ensure_ascii=False), 4000)


@register.simple_tag
def dlq_url(route: str, **query: Any) -> str:
    """Return the address of a page; empty parameters are left out."""
    given: Mapping[str, str] = {name: str(value) for name, value in query.items() if value}
    return url_of(route, given)
