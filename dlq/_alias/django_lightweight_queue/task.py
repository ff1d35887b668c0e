"""The old name of dlq.decorator."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.decorator import *
else:
    from dlq import decorator

    sys.modules[__name__] = decorator
