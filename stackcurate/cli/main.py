"""The command line's root, and the one place where errors end."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from pathlib import Path

import click

from stackcurate import __version__
from stackcurate.engine.attempt import describe
from stackcurate.errors import EXIT_STOPPED, EXIT_USAGE, StackcurateError
from stackcurate.storage.partitions import disk_errors


class Commands(click.Group):
    """Loads a command's module when it is asked for, so that `--help` is quick."""

    modules = {
        "init": "init",
        "plan": "run",
        "run": "run",
        "status": "run",
        "report": "run",
        "why": "why",
        "verify": "release",
        "query": "release",
        "diff": "research",
        "releases": "research",
        "reproduce": "research",
        "cite": "research",
        "optout": "optout",
        "notices": "license",
        "license": "license",
        "language": "alone",
        "redact": "alone",
        "dedup": "alone",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        module = __import__(f"stackcurate.cli.{self.modules[cmd_name]}", fromlist=["*"])
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stackcurate")
def cli() -> None:
    """Turn repository snapshots into code datasets that people can check and trust.

    \b
    Build one:        stackcurate init --git DIR > config.yaml
                      stackcurate plan config.yaml
                      stackcurate run config.yaml
    Ask about it:     stackcurate report | status | why
    Check and use:    stackcurate verify | query | notices
    Compare, cite:    stackcurate diff | releases | reproduce | cite
    Opt-outs:         stackcurate optout
    One stage alone:  stackcurate license | language | redact | dedup

    Exit codes: 0 done, 1 done but something was set aside (--strict), 2 usage or config,
    3 a checksum does not hold, 4 stopped and nothing published, 130 stopped by Ctrl-C.
    """


def main() -> None:
    """Run the command line. A person's mistake never shows a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or a word that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        code = cli.main(prog_name="stackcurate", standalone_mode=False)
    except click.exceptions.Abort:
        _say("stopped; start the same command again and it goes on where it was", "Interrupted")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except StackcurateError as error:
        _say(str(error), type(error).__name__)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say("stopped; start the same command again and it goes on where it was", "Interrupted")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _os_error(error)
    except Exception as error:  # a fault of ours: where, but no message, which may quote contents
        if os.environ.get("STACKCURATE_DEBUG"):
            raise
        _say(f"a fault in stackcurate ({describe(error)}); please report it", "Error")
        sys.exit(EXIT_STOPPED)
    sys.exit(code if isinstance(code, int) else 0)


def _os_error(error: OSError) -> None:
    try:
        with disk_errors(_folder_of(error)):
            raise error
    except StackcurateError as named:
        _say(str(named), type(named).__name__)
        sys.exit(named.exit_code)
    except OSError:
        _say(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), "Error")
        mistaken = isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError))
        sys.exit(EXIT_USAGE if mistaken else EXIT_STOPPED)


def _folder_of(error: OSError) -> Path:
    return Path(error.filename) if isinstance(error.filename, str) else Path.cwd()


def _say(message: str, kind: str) -> None:
    if os.environ.get("STACKCURATE_LOG_FORMAT") == "json":
        click.echo(json.dumps({"level": "error", "kind": kind, "message": message}), err=True)
    else:
        click.secho(f"{kind}: ", fg="red", bold=True, err=True, nl=False)
        click.echo(message, err=True)


if __name__ == "__main__":
    main()
