"""The demo's stand-in for a web process: enqueues jobs and is gone."""

from __future__ import annotations

import django


def main() -> None:
    django.setup()
    from dlq.demo.shop.tasks import confirm, mail

    for order_id in range(1, 16):
        confirm(order_id)
    with mail.bulk_enqueue() as enqueue:
        for number in range(1, 5):
            enqueue(f"customer{number}@shop.example", subject="Your order is on its way")
    # Later than the others: the one delayed job of the demo.
    mail.using(delay=0.5)("customer5@shop.example", subject="How was it?")


if __name__ == "__main__":
    main()
