"""Who is told what is wrong: one cause is one alert, told once, to those who can do something about it. Pure.

Begin with `alerting.py`; `table.py` says what each cause is called and whom it wakes.
"""
