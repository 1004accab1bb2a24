"""A local cloud that is measured: what the scripts bench-*.py have in common."""

import http.client
import json
import os
import pathlib
import subprocess
import time


class Runner:
    """A `stairwell up`, from its start to the end of the `with` that it stands in."""

    def __init__(self, binary, *arguments):
        begun = time.perf_counter()
        command = [binary, "up", "--port", "0", "--json", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.ready = next(line for line in map(json.loads, self.process.stdout) if "endpointUrl" in line)
        self.seconds_to_ready = time.perf_counter() - begun
        self.connection = http.client.HTTPConnection(self.ready["endpointUrl"].removeprefix("http://"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def request(self, method, path, body, headers=None):
        """The body of the answer."""
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return text

    def put(self, bucket, key, body):
        self.request("PUT", f"/{bucket}/{key}", body)

    def states(self, operation, **parameters):
        """An operation of Step Functions."""
        target = {"x-amz-target": f"AWSStepFunctions.{operation}", "content-type": "application/x-amz-json-1.0"}
        return json.loads(self.request("POST", "/", json.dumps(parameters), target))

    def end_of(self, execution):
        """What is told of its end. Every event of every execution comes by here, and is skipped unread."""
        return json.loads(next(line for line in self.process.stdout if execution in line and '"status"' in line))

    def functions(self):
        """The processes of functions that run: the names of their programs, and their numbers."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [child for task in tasks for child in (task / "children").read_text().split()]
        return sorted((os.path.basename(os.readlink(f"/proc/{child}/exe")), child) for child in children)


def memory(process, row):
    """A process's memory in MB: now (VmRSS) or the most that it had (VmHWM)."""
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(row)) / 1024


def load():
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
