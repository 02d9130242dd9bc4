"""The database of a step: nothing of a row leaves it by way of an error."""

import errno
import tempfile

import pytest

from shared.errors import ExportError
from shared.record.duckdb_workspace import workspace


def test_an_error_says_where_it_was_but_not_what_was_in_the_row() -> None:
    email = "@".join(("jane", "example.com"))
    with pytest.raises(RuntimeError) as caught, workspace() as work:
        work.connection.execute("SELECT CAST(? AS INTEGER)", [email])

    assert "ConversionException" in str(caught.value)
    assert "test_database.py" in str(caught.value)
    assert email not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_too_little_memory_is_told_to_the_operator() -> None:
    with pytest.raises(ExportError) as caught, workspace() as work:
        work.connection.execute("SET memory_limit = '10MB'")
        work.connection.execute("SET max_temp_directory_size = '1MB'")
        work.connection.execute("CREATE TABLE t AS SELECT md5(range::VARCHAR) FROM range(3000000)")

    assert caught.value.code == "out_of_memory"


def test_the_folder_of_a_step_is_gone_afterwards() -> None:
    with workspace() as work:
        (work.folder / "block.csv").write_text("x")

    assert not work.folder.exists()


def test_a_disk_that_is_full_is_told_as_that_and_another_failure_as_what_it_is() -> None:
    with pytest.raises(ExportError) as caught, workspace():
        raise OSError(errno.ENOSPC, "No space left on device", "rows of jane@contoso.example")
    assert caught.value.code == "out_of_memory"
    assert "jane" not in str(caught.value)

    with pytest.raises(PermissionError), workspace():
        raise PermissionError(errno.EACCES, "Permission denied")


def test_so_is_one_that_has_no_room_for_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(ExportError) as caught, workspace():
        pass
    assert caught.value.code == "out_of_memory"
