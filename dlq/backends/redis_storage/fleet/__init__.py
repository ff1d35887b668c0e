"""The runners of one server: who owns which worker number, and who lives."""
