"""Tests of the look-ups: through the real boto3, against moto and against a loopback AWS for what moto lacks."""
