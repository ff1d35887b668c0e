"""What the shop does outside of a request."""

from django.core.mail import send_mail
from django.utils import timezone

from dlq import task

try:
    from django.tasks import task as framework_task  # Django 6
except ImportError:
    from django_tasks import task as framework_task  # pip install 'dlq[django-tasks]'


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


@task(queue="emails")
def ask_for_review(order_id: int) -> None:
    """Enqueued with a delay when an order is placed."""
    from orders.models import Order

    order = Order.objects.get(pk=order_id)
    send_mail(f"Your order {order.pk}", "How was it?", None, [order.address])


@task(queue="reports", unique=600)
def refresh_overview() -> None:
    """Unique: while one waits, orders that are placed enqueue no other one."""
    print("the overview is up to date")


@framework_task(queue_name="reports")
def count_orders() -> int:
    """A task of Django's framework, with a result: `count_orders.enqueue().return_value`."""
    from orders.models import Order

    return Order.objects.count()
