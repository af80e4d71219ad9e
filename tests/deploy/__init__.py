"""Tests of what `deploy/` stands up."""
