"""`python -m quotaline`."""

import sys

from quotaline.cli import main

sys.exit(main())
