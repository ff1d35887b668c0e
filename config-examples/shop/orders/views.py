"""A page that places an order."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.models import Order
from orders.tasks import confirm


@csrf_exempt  # for curl; a real shop has a form with a token
@require_POST
@transaction.atomic
def order(request: HttpRequest) -> HttpResponse:
    """The job is enqueued when the transaction commits: a worker always finds the order."""
    placed = Order.objects.create(address=request.POST["address"])
    confirm.on_commit(placed.pk)
    return JsonResponse({"order": placed.pk})
