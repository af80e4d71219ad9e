"""What may fail around the function, and what becomes of every event then."""
