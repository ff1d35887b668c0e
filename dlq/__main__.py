"""`python -m dlq` is `dlq`."""

from __future__ import annotations

from dlq.cli import main

if __name__ == "__main__":
    main()
