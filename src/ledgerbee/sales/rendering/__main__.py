"""`python -m ledgerbee.sales.rendering TIMEOUT_S [FONTS]`: see `process`."""

import sys

from ledgerbee.sales.rendering.process import main

if __name__ == "__main__":
    main(sys.argv[1:])
