"""What a status says beyond counts: rates, limits, the text that Prometheus reads."""
