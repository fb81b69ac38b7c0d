"""What a window is made of: counts on the bins of a reference, which add and subtract."""
