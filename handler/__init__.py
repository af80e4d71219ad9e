"""Portcullis: a gate for network-exposure findings on AWS, judged by Rego policies in an embedded OPA."""

__version__ = "0.1.0"
