"""A model for the tests that need a database."""

from __future__ import annotations

from django.db import models


class Order(models.Model):
    address = models.CharField(max_length=200)
