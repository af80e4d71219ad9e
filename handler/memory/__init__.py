"""The memory: an inventory of what is open, and of what people have been told of it."""
