"""Filled-in forms that a user keeps under a name, per module; never with secrets."""
