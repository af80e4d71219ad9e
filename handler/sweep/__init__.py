"""The sweep: what no event tells is found by looking at everything that is remembered as open.

An allowance that has expired, policies that have changed, a rule that was widened on a port that was open before, and
news that a function died of telling.
"""
