"""The old name of dlq.management.commands.queue_configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.management.commands.queue_configuration import *
else:
    from dlq.management.commands import queue_configuration

    sys.modules[__name__] = queue_configuration
