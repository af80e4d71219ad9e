"""`python -m handler.cli` is `portcullis`, where that is not installed."""

import sys

from handler.cli import main

sys.exit(main())
