"""The connections of one process to one server, each made when first used."""

from __future__ import annotations

import redis

from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.connect import make_client
from dlq.backends.redis_storage.transport.poster import ClientPoster, Poster
from dlq.backends.redis_storage.transport.producer import ClientProducer, Producer
from dlq.config import active
from dlq.config.settings import Settings


class Connections:
    """Without settings, those in force are used."""

    has_own_client = False
    """Whether a subclass has set `client`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or active.settings()
        self._follows_settings = settings is None
        self.keys = Keys(self.settings.redis_prefix)
        self.address = Address(self.settings)
        self._client: redis.Redis | None = None
        self._producer: Producer | None = None
        self._poster: Poster | None = None
        self._timeouts: dict[str, float] = {}

    @property
    def client(self) -> redis.Redis:
        """The client for short commands, made when first used. A subclass may set one of its own,
        as subclasses of 4.11's backends do: then everything goes through it."""
        if self._client is None:
            self._client = make_client(self.address, **self._timeouts)
        return self._client

    @client.setter
    def client(self, client: redis.Redis) -> None:
        self._client = client
        self.has_own_client = True

    @property
    def producer(self) -> Producer:
        """The connections by which jobs are stored, made when first used."""
        if self._producer is None:
            self._producer = (
                ClientProducer(self.address, self.client)
                if self.has_own_client
                else Producer(self.address)
            )
        return self._producer

    @property
    def poster(self) -> Poster:
        """The connection for notes that nothing waits for, made when first used."""
        if self._poster is None:
            self._poster = (
                ClientPoster(self.address, self.settings, self.client)
                if self.has_own_client
                else Poster(self.address, self.settings)
            )
        return self._poster

    def reset(self) -> None:
        if self._client is not None:
            self._client.connection_pool.disconnect()
        if not self.has_own_client:
            self._client = None
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.reset()
        poster, self._poster = self._poster, None
        if poster is not None:
            poster.close()
