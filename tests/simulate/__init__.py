"""Tests of the simulated year: that it is one, and what the function makes of it."""
