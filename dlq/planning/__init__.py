"""Who runs what: the plan, its review and its document."""
