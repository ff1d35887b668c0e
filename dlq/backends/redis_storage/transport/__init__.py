"""Connections: addresses, the protocol, errors in words."""
