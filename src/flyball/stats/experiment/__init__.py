"""Two arms side by side: how much traffic it takes, whether the arms got their share, what is no worse than what.

Begin with `power`.
"""
