"""``python -m stackcurate`` is the command line."""

from stackcurate.cli.main import main

if __name__ == "__main__":
    main()
