"""Answers of the verbs that look at plans, cron rows, tasks and stored jobs."""
