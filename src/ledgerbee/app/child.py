"""How the processes of `serve` begin: `python -m ledgerbee.app.child api|worker NAME LIFELINE_FD READY_FD [FD]...`.

The log comes first: what goes wrong while the rest is loaded is a line of it.
"""

import gc
import sys
from importlib import import_module

from ledgerbee.platform import logs

if __name__ == "__main__":
    logs.capture_stderr()
    gc.disable()  # until `freeze_gc`: what is loaded stays, and looking at it for garbage is a sixth of a start
    import_module(f"ledgerbee.app.{sys.argv.pop(1)}_process").main()
