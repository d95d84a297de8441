"""``python -m drift_engine``: the command line, by the interpreter that runs us."""

from drift_engine.cli.main import main

main()
