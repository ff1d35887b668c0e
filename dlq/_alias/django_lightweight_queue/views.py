"""The old name of dlq.views."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.views import *
else:
    from dlq import views

    sys.modules[__name__] = views
