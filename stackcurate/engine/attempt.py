"""One try of a task in a worker, on whatever engine: what comes back, and what never does."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from typing import Any

from stackcurate.engine.base import Failure
from stackcurate.errors import StackcurateError, TransientError
from stackcurate.storage.partitions import disk_error_number

# Seconds before each further try of a task whose fault may pass.
BACK_OFF = (1.0, 5.0, 25.0)
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def attempt(task: Callable[[Any], Any], item: Any) -> Any:
    """What the task returned, or the error or Failure that it ended with, as a value.

    A fault that may pass is waited for, see BACK_OFF.
    """
    for pause in BACK_OFF:
        result = _try(task, item)
        if not isinstance(result, TransientError):
            return result
        time.sleep(pause)
    return _try(task, item)


def _try(task: Callable[[Any], Any], item: Any) -> Any:
    try:
        return task(item)
    except StackcurateError as error:
        return error
    except OSError as error:
        return OSError(error.errno, error.strerror)
    except Exception as error:
        number = disk_error_number(error)
        if number is not None:  # no fault of the input: the run stops and goes on with more room
            return OSError(number, os.strerror(number))
        # Only where it happened: a library's message may quote the contents it was given.
        return Failure("crashed", describe(error))


def describe(error: BaseException) -> str:
    """An unexpected error without its message: type, the last places in the code, and in ours."""
    places = traceback.extract_tb(error.__traceback__)
    ours = [place for place in places[:-3] if _OURS in place.filename]
    where = " < ".join(
        f"{os.path.basename(p.filename)}:{p.lineno} {p.name}"
        for p in (*reversed(places[-3:]), *ours[-1:])
    )
    return f"{type(error).__name__} at {where}"


def one_thread_each() -> None:
    """Workers are the parallelism; threads inside them would only fight over the cores."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
