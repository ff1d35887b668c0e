"""The prefix of every setting's name."""

from __future__ import annotations

from dlq.config.settings import PREFIX as SETTING_NAME_PREFIX

__all__ = ("SETTING_NAME_PREFIX",)
