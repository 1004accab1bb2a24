#!/usr/bin/env python3
"""Measures functions: the size of the binary, and the time from the start of its process to its first request to the
Runtime API, with the memory that it then has.

    scripts/bench-start.py NAME=BINARY [NAME=BINARY ...]

Each binary is started 50 times, the first few not counted. Prints a Markdown table with medians.
"""

import os
import socket
import statistics
import subprocess
import sys
import time

RUNS, WARM_UP = 50, 5

SETTINGS = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_LOG_GROUP_NAME": "measured",
    "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:measured",
    "BUCKET": "measured",
    "OUTPUT_BUCKET": "measured",
    "REPORT_BUCKET": "measured",
    "LEVELS_TABLE": "measured",
    "GAMES_TABLE": "measured",
    "DRAGONS_TABLE": "measured",
    "CASES_TABLE": "measured",
    "AGENTS_TABLE": "measured",
    "AGENTS": "one,two",
    "HASHES_TABLE": "measured",
    "SOURCE_BUCKET": "measured",
    "TARGET_BUCKET": "measured-too",
}


def start(binary):
    """Seconds until the first request, and the process's peak memory in KiB by then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        begun = time.perf_counter()
        process = subprocess.Popen([binary], env={**SETTINGS, "AWS_LAMBDA_RUNTIME_API": address},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                took = time.perf_counter() - begun
                with open("/proc/%d/status" % process.pid) as status:
                    memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
            return took, memory
        finally:
            process.kill()
            process.wait()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| function | size | start to first request | memory |")
    print("| --- | --- | --- | --- |")
    for argument in sys.argv[1:]:
        name, binary = argument.split("=", 1)
        runs = [start(binary) for _ in range(RUNS + WARM_UP)][WARM_UP:]
        took = statistics.median(took for took, _ in runs) * 1000
        memory = statistics.median(memory for _, memory in runs) / 1024
        size = os.path.getsize(binary) / 1e6
        print(f"| {name} | {size:.1f} MB | {took:.1f} ms | {memory:.1f} MiB |", flush=True)


if __name__ == "__main__":
    main()
