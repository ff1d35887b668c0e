"""An override file: what it sets stands in the place of what the Django settings say.

WORKERS is replaced as a whole: a queue that isn't named here has no worker here (but for the queues
that cron rows name). Any other LIGHTWEIGHT_QUEUE_ setting may stand here too.

    dlq plan --config FILE --machine 1 --of 2          a pool with these queues
    dlq run --config FILE --exact-configuration        these workers and no others, no cron
"""

LIGHTWEIGHT_QUEUE_WORKERS = {
    "default": 1,
    "images": 6,
}
