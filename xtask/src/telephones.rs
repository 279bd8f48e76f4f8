//! Address books that nobody here wrote: those with which the vCard library, as published, is tested.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house;
use crate::run::{Failed, cargo, program};

/// Counts what of their telephones the terminal finds, and how much of what it finds is right.
pub(crate) fn run(root: &Path) -> Result<(), Failed> {
    let books = books(root)?;
    let (binary, script) = (house::binary(root)?, root.join("xtask").join("interop").join("telephones.py"));
    let arguments = [script.to_string_lossy(), binary.to_string_lossy(), books.to_string_lossy()];
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    print!("{}", program("python3", &arguments).read()?);
    Ok(())
}

/// Where cargo has unpacked the library.
fn books(root: &Path) -> Result<PathBuf, Failed> {
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--quiet"]).read()?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| Failed::new(format!("cargo metadata cannot be read: {error}")))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == "calcard")
        .find_map(|package| package["manifest_path"].as_str().map(PathBuf::from));
    let books = manifest.and_then(|manifest| Some(manifest.parent()?.join("resources").join("vcard")));
    books.filter(|books| books.is_dir()).ok_or_else(|| {
        Failed::new("calcard comes without its address books now; look for others to count with")
    })
}
