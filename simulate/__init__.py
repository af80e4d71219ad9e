"""`make simulate`: a year of an organization, told by the function, and compared with what was true."""
