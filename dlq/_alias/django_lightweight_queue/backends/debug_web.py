"""The old name of dlq.backends.debug_web."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.backends.debug_web import *
else:
    from dlq.backends import debug_web

    sys.modules[__name__] = debug_web
