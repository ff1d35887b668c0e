"""Questions about plans, tasks and stored jobs, and the plan as files for others to start."""
