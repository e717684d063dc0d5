"""The command line's door: `python -m nst_tutorial`, or nst-tutorial."""

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status. See `cli.commands.main`."""
    try:
        from nst_tutorial.cli import commands  # here, so that an early Ctrl-C is no traceback
    except KeyboardInterrupt:
        return 130
    return commands.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
