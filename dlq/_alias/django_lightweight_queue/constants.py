"""The prefix of every setting's name."""

from __future__ import annotations

from dlq.config import PREFIX as SETTING_NAME_PREFIX

__all__ = ("SETTING_NAME_PREFIX",)
