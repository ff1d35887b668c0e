"""A page that places an order."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.models import Order
from orders.tasks import ask_for_review, confirm, refresh_overview


@csrf_exempt  # for curl; a real shop has a form with a token
@require_POST
@transaction.atomic
def order(request: HttpRequest) -> HttpResponse:
    """Jobs are enqueued when the transaction commits: a worker always finds the order."""
    placed = Order.objects.create(address=request.POST["address"])
    confirm.on_commit(placed.pk)
    ask_for_review.using(delay=7 * 86_400).on_commit(placed.pk)
    refresh_overview.on_commit()
    return JsonResponse({"order": placed.pk})
