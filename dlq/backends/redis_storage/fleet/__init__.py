"""The runners of one server: which live, which worker numbers they own, what dead ones left.

Invariant: a worker number is taken over only from a process that is known to be dead, or whose
runner's heartbeat has ended. "Known to be dead" is `host_identity.state_of` on this kernel; what
cannot be looked up is not known. While a heartbeat is renewed on time, no other runner touches the
runner's jobs.
"""
