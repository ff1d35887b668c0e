"""A Django process with the admin, a real server, and visitors with and without permissions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings as SettingsWrapper

from tests.kit.valkey import Server

BACKEND = "dlq.backends.reliable_redis.ReliableRedisBackend"

Visitor = Callable[..., Client]


@pytest.fixture(autouse=True)
def _configured(settings: SettingsWrapper, server: Server) -> None:
    settings.LIGHTWEIGHT_QUEUE_BACKEND = BACKEND
    settings.LIGHTWEIGHT_QUEUE_REDIS_PORT = server.port
    settings.LIGHTWEIGHT_QUEUE_WORKERS = {"emails": 2}


@pytest.fixture
def visitor(db: None) -> Visitor:
    """Make a client that is logged in as staff, with the named permissions of dlq."""

    def make(*permissions: str, superuser: bool = False) -> Client:
        user = User.objects.create_user(
            f"user{User.objects.count()}", is_staff=True, is_superuser=superuser
        )
        for codename in permissions:
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label="dlq", codename=codename)
            )
        client = Client(enforce_csrf_checks=False)
        client.force_login(user)
        return client

    return make
