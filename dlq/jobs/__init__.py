"""What belongs to jobs: names of queues, declarations, failures, batches."""
