"""Findings: what dlq reports about a configuration, and the forms it is reported in."""
