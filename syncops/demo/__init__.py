"""The demonstration: a tenant to play with, everything it needs under one supervisor, and the proof that it works."""
