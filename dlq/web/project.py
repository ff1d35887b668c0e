"""The project as the pages see it: settings, tasks and cron rows of this very process."""

from __future__ import annotations

from dlq import runtime
from dlq.config import active
from dlq.cron.files.configuration import CronConfiguration
from dlq.project.load import Project, project_declarations


def this_project() -> Project:
    """Return what is in force, without the checks of `dlq check`: a page is opened often.

    Raises InvalidConfiguration.
    """
    rows = runtime.current().cron_rows()
    resolution = active.resolution()
    return Project(resolution, project_declarations(), CronConfiguration(rows), resolution.findings)
