//! Which binaries a Cargo package has.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The names of a package's binaries, those that Cargo finds by their place among them, in alphabetical order.
pub(crate) fn binaries(package_dir: &Path) -> Result<Vec<String>, String> {
    let manifest_path = package_dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest_path)
        .map_err(|error| format!("cannot read {}: {error}", manifest_path.display()))?;
    let manifest: toml::Table =
        text.parse().map_err(|error| format!("{} is not a Cargo manifest: {error}", manifest_path.display()))?;
    let package = manifest.get("package").and_then(toml::Value::as_table);
    let package = package.ok_or_else(|| format!("{} has no [package]", manifest_path.display()))?;

    let declared = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = declared.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())).collect();
    if package.get("autobins").and_then(toml::Value::as_bool).unwrap_or(true) {
        let package_name = package.get("name").and_then(toml::Value::as_str);
        let has_own_main = manifest
            .get("bin")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .any(|bin| path_of(bin) == Some("src/main.rs"));
        if package_dir.join("src/main.rs").is_file() && !has_own_main {
            names.extend(package_name.map(str::to_owned));
        }
        names.extend(found_in(&package_dir.join("src/bin")).map_err(|error| error.to_string())?);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn path_of(bin: &toml::Value) -> Option<&str> {
    bin.get("path")?.as_str()
}

/// `src/bin/<name>.rs` and `src/bin/<name>/main.rs`.
fn found_in(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        let is_binary = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        names.extend(path.file_stem().filter(|_| is_binary).map(|stem| stem.to_string_lossy().into_owned()));
    }
    Ok(names)
}
