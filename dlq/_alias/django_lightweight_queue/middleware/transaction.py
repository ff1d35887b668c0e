"""The old name of dlq.middleware.transaction."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.middleware.transaction import *
else:
    from dlq.middleware import transaction

    sys.modules[__name__] = transaction
