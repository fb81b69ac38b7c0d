"""How a candidate goes from a passed gate to the champion's place, and back."""
