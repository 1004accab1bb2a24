#!/usr/bin/env python3
"""What the workflow Backfill costs on AWS, and how long it takes: the tables of docs/workflows/backfill.md.

    scripts/backfill-cost.py            # for ten million files
    scripts/backfill-cost.py 250000     # for as many
    scripts/backfill-cost.py --check    # fails where the page has other tables
    scripts/backfill-cost.py --update   # writes them

For files below the threshold, in US East (N. Virginia), without what is free each month and without logs. Put in your own
prices, quotas and times below.
"""

import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/workflows/backfill.md"
BEGIN = "<!-- What is between these two comments is written by scripts/backfill-cost.py. -->\n"
END = "<!-- End of what is written. -->\n"

# In dollars.
TRANSITION = 0.025 / 1_000
INVOCATION = 0.20 / 1_000_000
GIGABYTE_SECOND = 0.0000133334  # on arm64
S3_HEAD = 0.0004 / 1_000
S3_LIST = 0.005 / 1_000

FILES_OF_A_BATCH = 20
KEYS_OF_A_LIST = 1_000

# States entered. tests/clients/test_backfill_cost.py counts them in a run.
OF_A_FILE = {"FileProcessing": 3, "BackfillBatch": 1}
OF_A_BATCH = {"BackfillBatch": 3, "Backfill": 1}

# What check-size takes, as billed.
SECONDS = 0.050
GIGABYTES = 128 / 1024

# By default, each second: StartExecution of standard workflows, and state transitions.
QUOTAS = {
    "US East (N. Virginia), US West (Oregon), Europe (Ireland)": (300, 1_500),
    "elsewhere": (150, 500),
}


def transitions(files):
    return files * sum(OF_A_FILE.values()) + files / FILES_OF_A_BATCH * sum(OF_A_BATCH.values())


def starts(files):
    """Calls of StartExecution: each file and each batch has an execution. The Map's own child executions are not called for."""
    return files + files / FILES_OF_A_BATCH


def costs(files):
    """What is charged for: in words, how many for each file, how many in all, and what that costs."""
    gigabyte_seconds = files * SECONDS * GIGABYTES
    lists = files / KEYS_OF_A_LIST
    return [
        ("state transitions", transitions(files), transitions(files) * TRANSITION),
        ("invocations of check-size", files, files * INVOCATION),
        ("its GB-seconds", gigabyte_seconds, gigabyte_seconds * GIGABYTE_SECOND),
        ("HEAD requests to S3", files, files * S3_HEAD),
        ("LIST requests to S3", lists, lists * S3_LIST),
    ]


def short(number):
    return f"{number:,.5f}".rstrip("0").rstrip(".")


def tables(files):
    lines = [f"| what is charged | for each file | for {files:,} files | costs |", "| --- | --- | --- | --- |"]
    rows = costs(files)
    lines += [f"| {what} | {short(count / files)} | {count:,.0f} | ${dollars:,.2f} |" for what, count, dollars in rows]
    lines += [f"| in all | | | **${sum(dollars for _, _, dollars in rows):,.2f}** |", ""]
    lines += ["| Region | by `StartExecution` | by state transitions |", "| --- | --- | --- |"]
    for region, (start_quota, transition_quota) in QUOTAS.items():
        cells = [
            f"{start_quota:,} a second: {starts(files) / start_quota / 3600:.1f} hours",
            f"{transition_quota:,} a second: {transitions(files) / transition_quota / 3600:.1f} hours",
        ]
        lines.append(f"| {region} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def main(argument="10000000"):
    if argument not in ("--check", "--update"):
        print(tables(int(argument)), end="")
        return
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    written = f"{before}{BEGIN}\n{tables(10_000_000)}\n{END}{after}"
    if argument == "--update":
        PAGE.write_text(written)
    elif written != page:
        sys.exit(f"{PAGE} has other tables: scripts/backfill-cost.py --update writes them")


if __name__ == "__main__":
    main(*sys.argv[1:])
