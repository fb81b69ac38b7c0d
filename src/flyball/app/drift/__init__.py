"""Two tables compared without a service."""
