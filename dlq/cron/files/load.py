"""The cron rows of the installed apps. What reads a cron.py and checks it is imported where there
is one: every start comes through here, and many projects have none."""

from __future__ import annotations

from dlq.cron.files.configuration import CronConfiguration
from dlq.execution.app_modules import app_modules
from dlq.primitives.legacy_names import OLD_PACKAGE

OUR_OWN = ("dlq.cron", f"{OLD_PACKAGE}.cron")
"""dlq is an installed app itself, and its package of this name is for another purpose."""


def load_rows(*, commands: bool = True) -> CronConfiguration:
    """The rows of every installed app: IGNORE_APPS is about tasks, as in 4.11. `commands=False`
    leaves out the look at each command and its parser, which imports the commands' modules."""
    modules = [module for module in app_modules("cron") if module not in OUR_OWN]
    if not modules:
        return CronConfiguration()
    from dlq.cron.files.read_module import read_modules

    return read_modules(modules, commands=commands)
