"""A process without a file number left: what opens, starts or listens fails as on a machine that is at its limits."""

import contextlib
import os
import resource


@contextlib.contextmanager
def no_more_files():
    """This process can open no more files meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
