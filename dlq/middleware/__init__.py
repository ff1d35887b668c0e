"""Middleware: classes whose methods are called around each job.

`process_job(job, queue, worker_num)` before it, `process_result(job, result, time_taken)` after it
has returned, `process_exception(job, time_taken, *exc_info)` after it has raised; a class has those
that it wants. What they raise is logged and changes nothing for the job.
"""
