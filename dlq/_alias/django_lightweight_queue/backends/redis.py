"""The old name of dlq.backends.redis."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.backends.redis import *
else:
    from dlq.backends import redis

    sys.modules[__name__] = redis
