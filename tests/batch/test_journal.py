"""The journal: found again, torn or joined, on a disk and in an object store."""

import uuid

import pytest
from moodfader.engine.batch.common.storage import open_storage
from moodfader.engine.batch.common.tasks import Source, Task
from moodfader.engine.batch.journal import NAME, Journal
from moodfader.models.common.errors import InputError


def task(name, settings="s"):
    return Task(Source(f"/m/{name}", "/m", name), name, None, {}, settings)


def record(name, **more):
    return {"name": name, "settings": "s", "status": "done", "result": {"file": name}, **more}


@pytest.fixture(params=["local", "memory"])
def storage(request, tmp_path):
    return open_storage(str(tmp_path / "out") if request.param == "local" else f"memory://{uuid.uuid4()}/out")


def open_journal(storage, command="predict", model="m"):
    return Journal(storage, command=command, model=model)


def test_what_was_written_is_found_and_the_last_record_counts(storage):
    journal = open_journal(storage)
    for name in ("a", "b\udcff", "a"):
        journal.append(record(name, number=len(journal)))
    journal.close()
    again = open_journal(storage)
    assert len(again) == 2
    assert again.find(task("a"))["number"] == 2
    assert again.find(task("b\udcff"))["number"] == 1
    assert again.find(task("a", "other settings")) is None
    assert [found["name"] for _, found in again.records([task("b\udcff"), task("x"), task("a")])] == ["b\udcff", "a"]
    again.append(record("c" * 9000))
    assert again.find(task("c" * 9000))["name"] == "c" * 9000
    again.close()
    assert len(open_journal(storage, model="another")) == 0
    with pytest.raises(InputError, match="holds a batch of predict"):
        open_journal(storage, command="steer")


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_last_line_is_cut_off(tmp_path, kept):
    storage = open_storage(str(tmp_path))
    journal = open_journal(storage)
    journal.append(record("a"))
    whole = (tmp_path / NAME).read_bytes()
    journal.append(record("b"))
    journal.close()
    last = (tmp_path / NAME).read_bytes()[len(whole) :]
    (tmp_path / NAME).write_bytes(whole + last[:kept])
    again = open_journal(storage)
    assert again.find(task("a"))
    assert again.find(task("b")) is None
    again.append(record("b"))
    again.close()
    assert (tmp_path / NAME).read_bytes() == whole + last


def test_parts_of_a_run_that_was_killed_are_found(tmp_path):
    storage = open_storage(f"memory://{uuid.uuid4()}/out")
    killed = open_journal(storage)
    killed.append(record("a"))
    killed.flush()
    killed.append(record("lost"))
    assert storage.names("journal") == {"journal/00000000.jsonl"}
    again = open_journal(storage)
    assert len(again) == 1
    again.append(record("b"))
    again.close()
    assert storage.names() == {NAME}
    assert len(open_journal(storage)) == 2


@pytest.mark.parametrize("content", [b'{"format": "other"}\n', b"hello\n", b'{"format": "moodfader-batch"}\n'])
def test_another_file_of_that_name_is_left_alone(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(InputError, match=NAME):
        open_journal(open_storage(str(tmp_path)))
    assert (tmp_path / NAME).read_bytes() == content
