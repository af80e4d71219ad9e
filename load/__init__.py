"""`make load`: floods the function within the memory and the share of a processor that Lambda gives it."""
