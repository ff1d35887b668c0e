"""The old name of dlq.management.commands.queue_deduplicate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.management.commands.queue_deduplicate import *
else:
    from dlq.management.commands import queue_deduplicate

    sys.modules[__name__] = queue_deduplicate
