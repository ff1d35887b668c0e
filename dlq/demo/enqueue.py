"""The demo's stand-in for a web process: enqueues jobs and is gone."""

from __future__ import annotations

import django


def main() -> None:
    django.setup()
    from dlq.demo.shop.tasks import confirm, mail

    for order_id in range(1, 16):
        confirm(order_id)
    with mail.bulk_enqueue() as enqueue:
        for number in range(1, 6):
            enqueue(f"customer{number}@shop.example", subject="Your order is on its way")


if __name__ == "__main__":
    main()
