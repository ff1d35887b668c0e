"""The old name of dlq.apps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.apps import *
else:
    from dlq import apps

    sys.modules[__name__] = apps
