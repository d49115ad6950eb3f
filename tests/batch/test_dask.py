"""batch on a real Dask cluster: a scheduler and two workers as processes, some of which are killed."""

import os

import pytest
from batch.library import journal_names, lines_of, tree, wait_for
from batch.servers import Cluster, freeze

pytest.importorskip("distributed", reason="Dask is not installed (pip install 'moodfader[batch]')")
COMMON = ("--emotions-every", "0.5")


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "cluster").mkdir()
    opened = Cluster(tmp_path / "cluster")
    for _ in range(2):
        opened.add_worker()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def local(library, model_file, tmp_path_factory):
    """What the processes of this machine make of the library."""
    from moodfader.control.cli import run

    out = tmp_path_factory.mktemp("local") / "out"
    given = ["batch", "predict", str(library), "-o", str(out), *COMMON, "--jobs", "1", "--quiet"]
    assert run([*given, "--model", model_file]) == 0
    return tree(out)


def test_a_cluster_makes_the_same_bytes_though_a_worker_is_killed(library, started, cluster, local, tmp_path):
    cluster.wait_for_workers(2)
    freeze(cluster.workers[0])  # (what it is given is not done before it is killed, however late that is)
    out = tmp_path / "out"
    process = started("predict", library, "-o", out, *COMMON, "--scheduler", cluster.address)
    assert wait_for(lambda: lines_of(out) >= 3, alive=lambda: process.poll() is None), process.communicate()
    assert lines_of(out) < 13
    cluster.workers[0].kill()
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr + cluster.log()
    assert "12 of 12 tracks done, 0 failed" in stdout
    assert tree(out) == local
    assert set(journal_names(out).values()) == {1}
    assert len(journal_names(out)) == 12


@pytest.mark.slow
def test_a_scheduler_that_is_killed_and_started_again_loses_nothing(library, started, cluster, local, tmp_path):
    cluster.wait_for_workers(2)
    freeze(cluster.workers[0])  # (what it is given is not done before it is killed, however late that is)
    out = tmp_path / "out"
    process = started("predict", library, "-o", out, *COMMON, "--scheduler", cluster.address)
    assert wait_for(lambda: lines_of(out) >= 3, alive=lambda: process.poll() is None), process.communicate()
    freeze(cluster.workers[1])
    cluster.scheduler.kill()
    cluster.scheduler.wait()
    assert lines_of(out) < 13
    for worker in cluster.workers:
        worker.kill()
    cluster.start_scheduler()
    cluster.add_worker()
    stdout, stderr = process.communicate(timeout=200)
    assert process.returncode == 0, stderr + cluster.log()
    assert "12 of 12 tracks done, 0 failed" in stdout
    assert tree(out) == local
    assert set(journal_names(out).values()) == {1}


@pytest.mark.slow
def test_a_cluster_of_this_machine_renders_as_its_processes_do(library, batch, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted((library / "0").iterdir())[:2]:
        os.link(path, few / path.name)
    common = ("--set", "modality=3", "--evaluations", "64", "--jobs", "1")
    batch("render", few, "-o", tmp_path / "a", *common, "--cache", tmp_path / "one")
    batch("render", few, "-o", tmp_path / "b", *common, "--cache", tmp_path / "two", "--scheduler", "local")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
