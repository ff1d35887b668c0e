"""What other programs may have stored: read as it is meant, or as not there."""

from __future__ import annotations

import pytest

from dlq.backends.redis_storage.fleet.ownership import parse

RECORD = '{{"nonce": {nonce}, "host": "h", "boot": "b", "pid": 1, "started": 2, "exact": false}}'


@pytest.mark.parametrize("nonce", [r'"\ud800"', r'"a\udfff"', "{}", "1", "null", "[]"])
def test_a_record_that_cannot_be_sent_again_is_none(nonce: str) -> None:
    """Half of a surrogate pair is valid JSON, and no text that a key can be made of."""
    assert parse(RECORD.format(nonce=nonce)) is None


def test_a_record_is_read() -> None:
    owner = parse(RECORD.format(nonce=r'"ä\ud83d\ude00"'))
    assert owner is not None
    assert owner.nonce == "ä😀"
