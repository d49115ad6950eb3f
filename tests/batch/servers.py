"""Servers as processes of their own: a Dask scheduler with workers, and S3 as moto plays it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from batch.library import wait_for
from helpers.ports import free_port

BUCKET = "archive"


def answers(port: int) -> bool:
    """Whether a server listens on a port of this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Cluster:
    """A Dask scheduler and its workers, each a process that can be killed."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start the scheduler, at the same address each time."""
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-show")
        assert wait_for(lambda: answers(self.port), seconds=120, alive=lambda: self.scheduler.poll() is None), (
            self.log()
        )

    def add_worker(self) -> None:
        """Start a worker of one thread, without a nanny that would start it again."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        self.workers.append(self._start("dask_worker", self.address, *options, "--host", "127.0.0.1"))

    def _start(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / "cluster.log").open("ab") as log:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
            return subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)

    def log(self) -> str:
        """What the processes have printed."""
        return (self._folder / "cluster.log").read_text(errors="replace")

    def wait_for_workers(self, count: int) -> None:
        """Wait until the scheduler knows that many workers."""
        from distributed import Client

        with Client(self.address, timeout=120, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=120)

    def close(self) -> None:
        """End all of them."""
        processes = [*self.workers, self.scheduler]
        for process in processes:
            if process.poll() is None:
                process.kill()
        for process in processes:
            process.wait()


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server of S3 with an empty bucket; gives the environment for its clients."""
    port = free_port()
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
    try:
        up = wait_for(lambda: answers(port), seconds=120, alive=lambda: process.poll() is None)
        assert up, (folder / "s3.log").read_text()
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        s3_client(environment).create_bucket(Bucket=BUCKET)
        yield environment
    finally:
        process.kill()
        process.wait()


def s3_client(environment: dict[str, str]):
    """A client of the server that is not the one the program uses."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )


def s3_objects(environment: dict[str, str], prefix: str) -> dict[str, bytes]:
    """Content of all objects of the bucket under a prefix, by their names below it."""
    client = s3_client(environment)
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    names = [entry["Key"] for entry in listed]
    return {name[len(prefix) :]: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}


def freeze(process: "subprocess.Popen[bytes]") -> None:
    """Hold a process where it is."""
    os.kill(process.pid, signal.SIGSTOP)
