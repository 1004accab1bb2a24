//! The Lambda function `process-file`; see the library for what it does.

fn main() -> std::process::ExitCode {
    function_kit::start_up(process_file::ProcessFile::new, process_file::handle)
}
