"""The old name of dlq, kept importable.

Each module here that has a successor of the same content *is* that module: `sys.modules` has one
object under both names, so a class, a patch or a setting made by one name is seen by the other.
Type checkers, which do not follow that, read the star import instead. Packages cannot be one
object under two names (their submodules would be loaded twice), so they are packages of their own.
"""

from __future__ import annotations

# In this order: importing the submodule `task` puts it in the package's namespace, under the name
# that must end up being the decorator.
import django_lightweight_queue.task  # isort: skip # noqa: F401 (for what it does, see above)
from dlq.decorator import TaskWrapper, contribute_implied_queue_name, task  # isort: skip

__all__ = ("TaskWrapper", "contribute_implied_queue_name", "task")
