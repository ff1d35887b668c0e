"""The old name of dlq.cron.execute."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.cron.execute import *
else:
    from dlq.cron import execute

    sys.modules[__name__] = execute
