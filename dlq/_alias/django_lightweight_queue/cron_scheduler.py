"""The old name of dlq.scheduler.execute."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.scheduler.execute import *
else:
    from dlq.scheduler import execute

    sys.modules[__name__] = execute
