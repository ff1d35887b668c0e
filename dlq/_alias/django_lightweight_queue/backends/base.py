"""The old name of dlq.backends.base."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.backends.base import *
else:
    from dlq.backends import base

    sys.modules[__name__] = base
