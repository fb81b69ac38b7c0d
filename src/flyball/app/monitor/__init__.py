"""What the monitor saw and how well it sees: the records behind `flyball monitor`, their words and their page."""
