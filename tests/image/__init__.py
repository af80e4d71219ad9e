"""The image: built, and driven as Lambda drives it. `make image-test` runs these."""
