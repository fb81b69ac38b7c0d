"""Is it worse? Asked after every value, with error rates that survive the asking: tests of rates, of means, of pairs.

Begin with `sprt`, and `sequential` for the test that watches a rollout.
"""
