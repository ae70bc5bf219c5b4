//! @NAME@: counts the lines, words and bytes of a file.
//!
//! A tool is a command: the input comes as arguments (its descriptor says "input":"argv"), what it prints is the result, and a
//! status other than 0 says that it failed. It sees the folders that it was granted and nothing else: no network, no
//! environment, no other program.
use std::process::ExitCode;

const DESCRIPTOR: &str = include_str!("../@NAME@.json");

fn count(path: &str) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let lines = bytes.iter().filter(|b| **b == b'\n').count();
    let words = bytes.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).count();
    Ok(format!("{lines} lines, {words} words, {} bytes", bytes.len()))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--describe") {
        print!("{DESCRIPTOR}");
        return ExitCode::SUCCESS;
    }
    let path = arguments.iter().find_map(|a| a.strip_prefix("--file-path="));
    match path.ok_or("file_path is missing".to_string()).and_then(count) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
