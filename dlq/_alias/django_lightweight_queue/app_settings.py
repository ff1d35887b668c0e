"""The old name of dlq.app_settings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.app_settings import *
    from dlq.app_settings import __getattr__ as __getattr__
else:
    from dlq import app_settings

    sys.modules[__name__] = app_settings
