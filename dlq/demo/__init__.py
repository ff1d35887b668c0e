"""The small Django project that `dlq demo` runs: two queues, a cron row, a task that fails."""
