"""A process without a file number left: what opens, starts or listens fails as on a machine that is at its limits."""

import contextlib
import resource

NONE_MORE = 3
"""A limit below which all numbers are taken: by standard input, output and error."""


@contextlib.contextmanager
def no_more_files():
    """This process can open no more files meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (NONE_MORE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
