//! Profiles a data file and converts it to Parquet.

fn main() -> std::process::ExitCode {
    function_kit::start_up(process_file::ProcessFile::new, process_file::handle)
}
