"""The jobs as functions of RQ, by django_rq."""
