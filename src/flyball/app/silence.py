"""How long a controller may be unheard of before people are told: `flyball status`, and drills, go by the same."""

SILENT_S = 15.0  # without a round: a controller makes five a second
