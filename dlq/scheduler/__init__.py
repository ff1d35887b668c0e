"""The cron scheduler: enqueues what is due."""
