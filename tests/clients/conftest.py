"""The local cloud as AWS's own clients see it: one runner for all tests, and clients that point at it.

Every operation that is answered is noted; `--operations FILE` holds them to the table in that file, and `--update` writes it.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import operations

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATE = Path(__file__).resolve().parent / "template.yaml"
ACCOUNT = "000000000000"
REGION = "us-east-1"

# How long anything is waited for, in seconds. A test that waits this long fails.
PATIENCE = 60

_answered = operations.Answered()


def pytest_addoption(parser):
    parser.addoption("--binary", default=str(ROOT / "target/debug/stairwell"), help="the runner")
    parser.addoption("--operations", help="the table of the operations that work")
    parser.addoption("--update", action="store_true", help="write the table")


class Cloud:
    """A running local cloud."""

    def __init__(self, binary, template):
        command = [binary, "up", "--ephemeral", "--port", "0", "--json", "-t", str(template)]
        # Functions in JavaScript run by the Node.js that is installed with these tests.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        self.endpoint = json.loads(self.process.stdout.readline())["endpointUrl"]
        # Nobody reads the rest, and a full pipe would stop the runner.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def client(self, service):
        """A client of a service, whose answered operations are noted."""
        client = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            # A prefix of the host's name would need a name server.
            config=Config(inject_host_prefix=False, retries={"max_attempts": 0}, read_timeout=PATIENCE + 10),
        )
        client.meta.events.register("after-call", _answered.note)
        return client

    def end(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0


@pytest.fixture(scope="session")
def cloud(request):
    running = Cloud(request.config.getoption("--binary"), TEMPLATE)
    yield running
    running.end()


@pytest.fixture(scope="session")
def application(request):
    """The project's own application."""
    running = Cloud(request.config.getoption("--binary"), ROOT / "template.yaml")
    yield running
    running.end()


@pytest.fixture
def name(request):
    """A name that no other test has."""
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:60]


def eventually(look, what="it"):
    """What `look` gives once that is something. Between its tries the waiting grows."""
    pause, end = 0.01, time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, f"{what} does not happen"
        time.sleep(pause)
        pause = min(pause * 2, 0.5)
    return found


def refused(code):
    """That a call is refused with this error."""
    return pytest.raises(ClientError, check=lambda error: error.response["Error"]["Code"] == code)


def pytest_sessionfinish(session, exitstatus):
    table, update = session.config.getoption("--operations"), session.config.getoption("--update")
    if table is None or exitstatus != 0:
        return
    written = _answered.table()
    if update:
        Path(table).write_text(written)
    elif Path(table).read_text() != written:
        print(f"\n{table} does not tell what works: run this with --update, and look at the difference")
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
    counts = [len(terminalreporter.getreports(kind)) for kind in ("passed", "failed", "error", "skipped")]
    passed, failed, errors, skipped = counts
    terminalreporter.write_line(f"{passed} passed, {failed + errors} failed, {skipped} skipped")
