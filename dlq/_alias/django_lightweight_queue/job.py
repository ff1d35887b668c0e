"""The old name of dlq.job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.job import *
else:
    from dlq import job

    sys.modules[__name__] = job
