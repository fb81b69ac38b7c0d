"""Bodies and paths to rows, and records to answers, in every protocol that the gateway speaks. Pure."""
