"""Chaos: real runners, a real server, and faults while jobs run.

`pytest -m chaos` runs the short forms. The long ones are one command each:

    python -m tests.chaos kills --jobs 1000000 --kills 20
    python -m tests.chaos restarts --jobs 50000 --restarts 3
    python -m tests.chaos soak --minutes 30

Each prints its seed first and one line of JSON at the end. A new scenario is a function in
`scenarios.py` that answers with a `Report`, a test in `test_short.py` and a word in `__main__.py`.
"""
