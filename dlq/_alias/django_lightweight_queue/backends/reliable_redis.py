"""The old name of dlq.backends.reliable_redis."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.backends.reliable_redis import *
else:
    from dlq.backends import reliable_redis

    sys.modules[__name__] = reliable_redis
