"""Which arm a row goes to, and how its share may change. Pure."""
