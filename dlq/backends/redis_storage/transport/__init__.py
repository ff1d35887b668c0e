"""Connections to a server: where it is, how it is reached, the protocol, its errors in words.

`connect` is the one module that makes connections: a way to find the server (the primary of a
Sentinel or of a cluster, say) has its place there.
"""
