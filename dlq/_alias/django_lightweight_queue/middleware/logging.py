"""The old name of dlq.middleware.logging."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.middleware.logging import *
else:
    from dlq.middleware import logging

    sys.modules[__name__] = logging
