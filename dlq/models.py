"""What Django looks up before it makes permissions: the placeholder of the admin's pages.

Without the admin there is no model of dlq, and nothing of the ORM is imported for it.
"""

from __future__ import annotations

from django.apps import apps

if apps.is_installed("django.contrib.admin"):
    from dlq.web.placeholder import Queue as Queue
