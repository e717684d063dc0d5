"""The command line: nst-tutorial."""
