"""`python -m dlq` is `dlq`."""

from __future__ import annotations

from dlq.cli import main

main()
