"""The tests. `make test` runs them, those in tests/image excepted: `make image-test`."""
