"""Questions about plans, tasks and stored jobs, answered without a change to anything."""
