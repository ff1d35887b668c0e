"""The old name of dlq.backends.synchronous."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.backends.synchronous import *
else:
    from dlq.backends import synchronous

    sys.modules[__name__] = synchronous
