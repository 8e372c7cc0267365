"""The program `recorder-sync`."""

import sys

from recorder_sync import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"recorder-sync {__version__}\n")
        return
    from recorder_sync.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
