"""The program `recorder-sync`."""

import gc
import os
import sys

from recorder_sync import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"recorder-sync {__version__}\n")
        return
    gc.disable()  # what is imported stays: to look for garbage in it takes 20 ms
    # Or pydantic looks for plug-ins of its own in every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    from recorder_sync.cli.app import run

    code = run(sys.argv[1:])
    gc.freeze()  # or the interpreter looks through all of it twice as it ends
    sys.exit(code)


if __name__ == "__main__":
    main()
