"""When did it begin to be otherwise? Detectors that add up evidence over windows, control charts, slow trends.

Begin with `edetector`, and `bets` for what it bets on.
"""
