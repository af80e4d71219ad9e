"""Terraform for real: slow, and run by `make deploy-test`."""
