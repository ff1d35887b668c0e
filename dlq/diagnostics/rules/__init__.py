"""Every rule that a finding can break, by its id. Ids are never reused.

0 finding the settings · 1 settings · 2 cron · 3 plan · 4 running · 5 backends and the fleet.
A rule is added to the module of its hundred, as a module-level `Rule` named after its code.
"""

from __future__ import annotations

from dlq.diagnostics.finding import Rule
from dlq.diagnostics.rules import backends, cron, plan, settings
from dlq.diagnostics.rules import processes as running
from dlq.diagnostics.rules import project as locating

RULES: dict[str, Rule] = {
    rule.code: rule
    for module in (locating, settings, cron, plan, running, backends)
    for rule in vars(module).values()
    if isinstance(rule, Rule)
}
