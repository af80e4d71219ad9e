"""What AWS knows beyond the report. Every look-up that fails says so, and what it did not tell stays unknown."""
