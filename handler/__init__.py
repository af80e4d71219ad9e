"""Portcullis: a gate for network-exposure findings on AWS, judged by Rego policies in an embedded OPA."""
