"""The work of process-file with polars or DuckDB: the same profile, and a Parquet file with zstd.

usage: bench-process-file.py polars|duckdb <csv> <output directory>

Prints the seconds and the peak memory. One thread, as set by the caller for polars (POLARS_MAX_THREADS=1).
"""

import json
import resource
import sys
import time

QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def polars(csv, output):
    import polars as pl

    lazy = pl.scan_csv(csv, try_parse_dates=True)
    lazy.sink_parquet(f"{output}/polars.parquet", compression="zstd", compression_level=1)
    profile = {}
    for name, dtype in lazy.collect_schema().items():
        column = pl.col(name)
        wanted = [
            pl.len().alias("rows"),
            column.null_count().alias("nulls"),
            column.min().alias("min"),
            column.max().alias("max"),
            column.approx_n_unique().alias("distinct"),
        ]
        if dtype.is_numeric():
            wanted += [column.mean().alias("mean"), column.std().alias("standardDeviation")]
        if dtype.is_numeric() or dtype.is_temporal():
            wanted += [column.quantile(q).alias(f"q{q}") for q in QUANTILES]
        # The Parquet file just written is read column by column, which is quicker than the CSV file again.
        stored = pl.scan_parquet(f"{output}/polars.parquet")
        profile[name] = stored.select(wanted).collect().to_dicts()[0]
        frequent = stored.select(column).drop_nulls().group_by(name).len().top_k(10, by="len")
        profile[name]["mostFrequent"] = frequent.collect().to_dicts()
    return profile


def duckdb(csv, output):
    import duckdb as db

    connection = db.connect()
    connection.execute("SET threads = 1")
    source = f"read_csv('{csv}')"
    copy = f"COPY (SELECT * FROM {source}) TO '{output}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    connection.execute(copy)
    stored = f"read_parquet('{output}/duckdb.parquet')"
    types = connection.execute(f"DESCRIBE SELECT * FROM {stored}").fetchall()
    wanted = []
    for name, kind, *_ in types:
        parts = [f"'nulls': count(*) - count({name})", f"'min': min({name})", f"'max': max({name})"]
        parts += [f"'distinct': approx_count_distinct({name})", f"'mostFrequent': approx_top_k({name}, 10)"]
        is_number = kind in ("BIGINT", "DOUBLE", "INTEGER")
        if is_number:
            parts += [f"'mean': avg({name})", f"'standardDeviation': stddev_samp({name})"]
        if is_number or kind.startswith(("DATE", "TIMESTAMP")):
            value = f"{name}::TIMESTAMP" if kind.startswith(("DATE", "TIMESTAMP")) else name
            parts.append(f"'quantiles': approx_quantile({value}, {QUANTILES})")
        wanted.append(f"{{{', '.join(parts)}}} AS {name}")
    row = connection.execute(f"SELECT {', '.join(wanted)} FROM {stored}").fetchone()
    return {name: value for (name, *_), value in zip(types, row)}


def main():
    tool, csv, output = sys.argv[1:]
    start = time.monotonic()
    profile = {"polars": polars, "duckdb": duckdb}[tool](csv, output)
    with open(f"{output}/{tool}.json", "w") as file:
        json.dump(profile, file, default=str, indent=1)
    seconds = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{tool}: {seconds:.2f} s, peak memory {memory:.0f} MiB")


main()
