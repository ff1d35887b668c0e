"""One job's run, and how its task is found."""
