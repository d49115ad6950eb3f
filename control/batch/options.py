"""Options that all commands of batch have."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.errors import InputError
from ..console import options

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="Folders (with all below), globs, files, manifests (.csv, .parquet with a column file); paths or URLs.",
    ),
]
Format = Annotated[str, typer.Option("--format", metavar="wav|flac|ogg", help="Of the sounds.")]
_WORKERS = "Where it is worked on"


@dataclass(frozen=True)
class BatchOptions:
    """Destination, workers, and what to do about earlier runs."""

    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DEST", help="Folder or URL of results; one for each batch.")
    ]
    table: Annotated[str, typer.Option(metavar="csv|parquet", help="Of the table of results.")] = "csv"
    retry_failures: Annotated[
        bool,
        typer.Option("--retry-failures", metavar="", help="Work on the tracks that failed before, and no other."),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", metavar="", help="Count, try a few, estimate time and space; write nothing."),
    ] = False
    cache: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder or URL of the cache of analyses; yours without.")
    ] = None
    jobs: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Processes of this machine; 0: one a core (two a graphics card).",
            rich_help_panel=_WORKERS,
        ),
    ] = 0
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A Dask cluster's scheduler (tcp://host:8786), or local for a cluster of --jobs processes here.",
            rich_help_panel=_WORKERS,
        ),
    ] = None
    together: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Tracks that go through a graphics card together (predict); 0: 16 on a card, 1 on the processor.",
            rich_help_panel=_WORKERS,
        ),
    ] = 0
    model: options.ModelFile = None
    device: options.Device = "auto"
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Progress and the end as JSON objects, a line each.")
    ] = False
    quiet: options.Quiet = False

    def check(self) -> None:
        """See that the numbers make sense. Raises InputError."""
        from ...engine.batch.tables import FORMATS
        from ...models.common.extras import require

        if self.table not in FORMATS:
            raise InputError(f"--table {self.table}: there are {', '.join(FORMATS)}")
        if self.table == "parquet":
            require("pyarrow")
        for name, value, most in (("--jobs", self.jobs, 1024), ("--together", self.together, 256)):
            if not 0 <= value <= most:
                raise InputError(f"{name} {value}: goes from 0 to {most}")
        if self.retry_failures and self.dry_run:
            raise InputError("--retry-failures and --dry-run: one of them")
        if not self.output.strip():
            raise InputError("--output: the name of a folder is needed")

    def device_name(self) -> str:
        """Torch's name of the device; with a scheduler each worker decides about `auto`. Raises InputError."""
        from ...models.inference.device import resolve_device

        return self.device if self.scheduler else resolve_device(self.device)

    def workers(self, device: str) -> int:
        """Processes of this machine."""
        if self.jobs:
            return self.jobs
        return 2 if device.startswith("cuda") else len(os.sched_getaffinity(0))

    def group(self, device: str) -> int:
        """Tracks a task."""
        return self.together or (16 if device.startswith("cuda") else 1)

    @property
    def model_path(self) -> str | None:
        """Absolute, because workers may run in another folder."""
        return None if self.model is None else str(Path(self.model).resolve())
