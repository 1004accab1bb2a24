//! Profiles a data file and converts it to Parquet.
