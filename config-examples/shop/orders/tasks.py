"""What the shop does outside of a request."""

from django.core.mail import send_mail
from django.utils import timezone

from dlq import task


@task(queue="emails", timeout=60)
def confirm(order_id: int) -> None:
    """Confirms an order by mail. Safe to run twice: the second time there is nothing to do."""
    from orders.models import Order

    order = Order.objects.select_for_update().get(pk=order_id)
    if order.confirmed_at is not None:
        return
    send_mail(f"Your order {order.pk}", "Thank you!", None, [order.address])
    order.confirmed_at = timezone.now()
    order.save()


@task(queue="images", timeout=300, sigkill_on_stop=True, atomic=False)
def resize(path: str, width: int) -> None:
    """Stands for work on files. A stop needn't wait for it: it begins again from the start."""
    print(f"resized {path} to {width} pixels")


@task(queue="reports")
def count_orders() -> int:
    """The shortest of reports."""
    from orders.models import Order

    return Order.objects.count()
