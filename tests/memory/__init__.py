"""Tests of the memory against DynamoDB Local."""
