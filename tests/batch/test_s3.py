"""batch on a real server of S3: source, destination and cache."""

import json

import pytest
from batch.conftest import rows
from batch.library import tree
from batch.servers import BUCKET, s3_client, s3_objects, s3_server

for _name in ("s3fs", "moto.server"):
    pytest.importorskip(_name, reason=f"{_name} is not installed (pip install 'moodfader[test]')")


@pytest.fixture(scope="module")
def s3(tmp_path_factory, library):
    """A server with the first folder of the library in music/."""
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        client = s3_client(environment)
        for path in sorted((library / "0").iterdir()):
            client.upload_file(str(path), BUCKET, f"music/{path.name}")
        client.put_object(Bucket=BUCKET, Key="music/notes.txt", Body=b"no sound")
        yield environment


def results(objects):
    return [json.loads(line) for line in objects["results.jsonl"].decode().splitlines()]


def test_a_bucket_is_source_and_destination(library, batch, s3, tmp_path):
    given = ("predict", f"s3://{BUCKET}/music", "-o", f"s3://{BUCKET}/out", "--emotions-every", "0.5", "--jobs", "2")
    batch(*given, **s3)
    made = s3_objects(s3, "out/")
    batch("predict", library / "0", "-o", tmp_path / "out", "--emotions-every", "0.5", "--jobs", "2")
    local = tree(tmp_path / "out")
    assert set(made) == {*local, "journal.jsonl"}  # (no part of the journal, nothing unfinished)
    curves = {name for name in local if name.startswith("emotions/")}
    assert len(curves) == 6
    assert {name: made[name] for name in curves} == {name: local[name] for name in curves}
    assert [{**row, "file": ""} for row in results(made)] == [{**row, "file": ""} for row in rows(tmp_path / "out")]
    assert results(made)[0]["file"].startswith(f"s3://{BUCKET}/music/")
    done = batch(*given, "--json", **s3)  # again: all is known, nothing is made
    end = json.loads(done.stdout.splitlines()[-1])
    assert (end["done"], end["hours"]) == (6, 0.0)
    assert s3_objects(s3, "out/") == made


@pytest.mark.slow
def test_a_cache_in_a_bucket_is_found_by_another_machine(library, batch, s3, tmp_path):
    track = sorted((library / "0").iterdir())[0]
    url, cache = f"s3://{BUCKET}/music/{track.name}", ("--cache", f"s3://{BUCKET}/cache", "--evaluations", "64")
    batch("analyze", url, "-o", f"s3://{BUCKET}/a", *cache, **s3, MOODFADER_CACHE=str(tmp_path / "first"))
    ((name, content),) = s3_objects(s3, "cache/").items()
    assert results(s3_objects(s3, "a/"))[0]["analysis"] == name
    given = ("-o", f"s3://{BUCKET}/r", "--set", "modality=3", *cache)
    batch("render", url, *given, **s3, MOODFADER_CACHE=str(tmp_path / "second"))
    assert s3_objects(s3, "cache/") == {name: content}
    assert not list((tmp_path / "second").rglob("*.npz"))  # (it was not made again)
    batch("render", track, "-o", tmp_path / "r", "--set", "modality=3", "--evaluations", "64")
    sound = f"sounds/{track.stem}.flac"
    assert s3_objects(s3, "r/")[sound] == tree(tmp_path / "r")[sound]


@pytest.mark.slow
def test_a_destination_within_the_source_is_no_source(library, batch, s3):
    track = sorted((library / "0").iterdir())[0]
    s3_client(s3).upload_file(str(track), BUCKET, "whole/one.wav")
    s3_client(s3).upload_file(str(track), BUCKET, "whole/made/sounds/two.wav")
    batch("predict", f"s3://{BUCKET}/whole", "-o", f"s3://{BUCKET}/whole/made", **s3)
    assert [row["file"] for row in results(s3_objects(s3, "whole/made/"))] == [f"s3://{BUCKET}/whole/one.wav"]


@pytest.mark.slow
def test_a_server_that_is_gone_stops_the_batch_in_one_line(library, batch, tmp_path):
    with s3_server(tmp_path) as environment:
        pass
    done = batch("predict", library / "0", "-o", f"s3://{BUCKET}/out", code=2, **environment)
    assert f"s3://{BUCKET}/out" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
