"""Tests of who can reach a port."""
