"""The old name of dlq.management.commands.queue_clear."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.management.commands.queue_clear import *
else:
    from dlq.management.commands import queue_clear

    sys.modules[__name__] = queue_clear
