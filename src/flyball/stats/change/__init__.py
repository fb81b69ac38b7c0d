"""When did it begin to be otherwise? Detectors that add up evidence over windows, control charts, slow trends."""
