"""The old name of dlq.urls."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.urls import *
else:
    from dlq import urls

    sys.modules[__name__] = urls
