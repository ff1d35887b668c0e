"""The plan as files of the world that starts it: systemd, Compose, Kubernetes, a Procfile. Pure."""
