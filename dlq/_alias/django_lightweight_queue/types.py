"""The old name of dlq.types."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.types import *
else:
    from dlq import types

    sys.modules[__name__] = types
