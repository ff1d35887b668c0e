"""Fork, signals, pid files: what the operating system offers a process."""
