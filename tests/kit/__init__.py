"""What the tests share: a real server, facts to wait for, processes to run and faults to inject."""
