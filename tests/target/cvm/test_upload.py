from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.multipart import FileBody
from target_ciscovm.errors import BadKey, ConnectorMissing, Refused, TooLarge, UploadFailed
from tests.target.cvm.quick import KEY, QUICK, connect
from tests.target.cvm.scripted_server import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.cvm.scripted_server import ScriptedServer

UPLOAD = ("POST", "/connectors/42/data_file")
DONE = Reply(json={"success": "true", "data_file": 11, "run_url": "https://api.example.test/run"})
CONTENT = '{"assets": ["ü"]}\r\n'.encode() + bytes(range(256)) * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kdi-0001.json"
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_sent_whole_as_a_form_and_is_not_run(server: ScriptedServer, path: Path) -> None:
    server.script(*UPLOAD, DONE)

    assert connect(server).upload(path) == 11

    request = server.requests[0]
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert request.headers["Content-Length"] == str(len(request.content))
    assert request.headers["X-Risk-Token"] == KEY
    assert request.form_file == CONTENT
    assert b'name="run"\r\n\r\nfalse\r\n' in request.content
    assert b'name="file"; filename="kdi-0001.json"' in request.content
    assert request.query == []


@pytest.mark.parametrize("success", [True, "true", "TRUE"], ids=repr)
@pytest.mark.parametrize("number", [11, "11"], ids=repr)
def test_success_is_read_in_every_spelling(
    server: ScriptedServer, path: Path, success: object, number: object
) -> None:
    server.script(*UPLOAD, Reply(json={"success": success, "data_file": number}))

    assert connect(server).upload(path) == 11


@pytest.mark.parametrize(
    "bad",
    [
        Reply(422, {"success": "false", "error": "Unprocessable_entity", "message": "HttpError"}),
        Reply(429, {"success": "false"}),
        Reply(500, text=""),
        Reply(502, text="Bad Gateway", headers={"Content-Type": "text/html"}),
        Reply(200, text=""),
        Reply(200, json={"success": "false", "message": "try again"}),
        Reply(200, json={"success": "true"}),
        Reply(200, json={"data_file": 10}),
        Reply(failure="reset"),
        Reply(json={"success": "true", "data_file": 10}, failure="cut"),
    ],
    ids=[
        "422",
        "429",
        "500",
        "502",
        "empty",
        "refused",
        "no id",
        "no success",
        "reset",
        "cut",
    ],
)
def test_a_failed_try_sends_the_same_file_whole_again(
    server: ScriptedServer, path: Path, bad: Reply
) -> None:
    server.script(*UPLOAD, bad, bad, DONE)

    assert connect(server).upload(path) == 11

    assert [request.form_file for request in server.requests] == [CONTENT] * 3


def test_a_try_without_an_answer_sends_the_same_file_whole_again(
    server: ScriptedServer, path: Path
) -> None:
    server.script(*UPLOAD, Reply(failure="hang"), DONE)

    assert connect(server, replace(QUICK, read_seconds=0.5)).upload(path) == 11
    assert [request.form_file for request in server.requests] == [CONTENT] * 2


@pytest.mark.parametrize(
    ("reply", "error", "told"),
    [
        (Reply(400, {"success": "false", "message": "unexpected token"}), UploadFailed, "token"),
        (Reply(401, {"success": "false"}), BadKey, "api_key"),
        (Reply(403, {"success": "false"}), Refused, "upload a file"),
        (Reply(404, {"success": "false"}), ConnectorMissing, "connector 42"),
        (Reply(413, text="<html>Too Large</html>"), TooLarge, "kdi-0001.json"),
        (Reply(418, {"success": "false"}), UploadFailed, "418"),
    ],
)
def test_what_asking_again_does_not_change_is_not_asked_again(
    server: ScriptedServer, path: Path, reply: Reply, error: type[Exception], told: str
) -> None:
    server.script(*UPLOAD, reply)

    with pytest.raises(error, match=told):
        connect(server).upload(path)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [Reply(422, {"message": "HttpError"}), Reply(200, text=""), Reply(failure="reset")],
    ids=["422", "empty", "reset"],
)
def test_an_upload_that_keeps_failing_ends_with_its_reason(
    server: ScriptedServer, path: Path, bad: Reply
) -> None:
    server.script(*UPLOAD, bad)

    with pytest.raises(
        UploadFailed, match=r"kdi-0001\.json could not be uploaded, so nothing has been run"
    ) as caught:
        connect(server).upload(path)

    assert "Tried 4 times" in str(caught.value)
    assert not isinstance(caught.value, TooLarge)
    assert len(server.requests) == 4


def test_a_large_file_is_not_held_in_memory(server: ScriptedServer, tmp_path: Path) -> None:
    path = tmp_path / "kdi-0001.json"
    size = 30_000_000
    with path.open("wb") as file:
        file.truncate(size)

    tracemalloc.start()
    try:
        with FileBody(path, {"run": "false"}) as body:
            total = sum(len(block) for block in iter(lambda: body.read(65536), b""))
            length = len(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert total == length > size
    assert peak < size / 10

    server.script(*UPLOAD, DONE)
    assert connect(server).upload(path) == 11
    assert len(server.requests[0].form_file) == size


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_a_form_is_the_same_in_blocks_of_every_size(path: Path, size: int) -> None:
    with FileBody(path, {"run": "false"}) as body:
        boundary = body.content_type.partition("=")[2]
        sent = b"".join(iter(lambda: body.read(size), b""))

    assert len(sent) == len(body)
    assert sent.startswith(f"--{boundary}\r\n".encode())
    assert sent.endswith(CONTENT + f"\r\n--{boundary}--\r\n".encode())


def test_an_empty_file_is_sent_too(server: ScriptedServer, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.touch()
    server.script(*UPLOAD, DONE)

    connect(server).upload(path)

    assert server.requests[0].form_file == b""
