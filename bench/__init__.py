"""How long a decision takes, and what it is made of: `make bench`."""
