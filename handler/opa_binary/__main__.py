"""`python -m handler.opa_binary`: print the path of the OPA to run."""

import sys

from handler.errors import PortcullisError
from handler.opa_binary import find

try:
    print(find())  # noqa: T201  the path is the product
except PortcullisError as problem:
    sys.exit(str(problem))
