"""The old name of dlq.management.commands.queue_pause."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.management.commands.queue_pause import *
else:
    from dlq.management.commands import queue_pause

    sys.modules[__name__] = queue_pause
