//! Every answer of a face, held against the document that declares it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::Value;

/// The documents beside the workspace: each with the path its interface stands under.
static DOCUMENTS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/specs/tmforum");
    let Ok(files) = std::fs::read_dir(folder) else {
        assert!(std::env::var_os("CI").is_none(), "the shared documents are missing");
        eprintln!("answers are not held against the TM Forum documents: they are not beside the workspace");
        return Vec::new();
    };
    let paths = files.flatten().map(|file| file.path());
    let json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let read = |path: PathBuf| {
        let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        (document["basePath"].as_str().unwrap().trim_end_matches('/').to_owned(), document)
    };
    paths.filter(json).map(read).collect()
});

/// Panics when a document declares the call and not this answer to it. What no document declares is not looked at.
pub(crate) fn hold(method: &str, path: &str, status: u16, answer: &Value) {
    let path = path.split('?').next().unwrap();
    let Some((base, document)) = DOCUMENTS.iter().find(|(base, _)| path.starts_with(&format!("{base}/")))
    else {
        return;
    };
    let Some(operation) = operation(document, &path[base.len()..], method) else { return };
    // What HTTP says of any body stands above the documents.
    if status == 413 {
        return;
    }
    let declared = &operation["responses"][status.to_string()];
    assert!(!declared.is_null(), "{method} {path}: the document declares no {status}");
    if let Some(schema) = declared.get("schema") {
        // A projection leaves out what a document wants; it is asked for on purpose.
        let fits = fit(document, schema, answer, String::new());
        assert!(fits.is_ok(), "{method} {path} {status}: {}\n{answer}", fits.unwrap_err());
    }
}

fn operation<'a>(document: &'a Value, path: &str, method: &str) -> Option<&'a Value> {
    let parts: Vec<_> = path.split('/').collect();
    let fits = |template: &str| {
        let names: Vec<_> = template.split('/').collect();
        names.len() == parts.len()
            && names.iter().zip(&parts).all(|(name, part)| name.starts_with('{') || name == part)
    };
    let paths = document["paths"].as_object().unwrap();
    paths.iter().find(|(template, _)| fits(template))?.1.get(method.to_lowercase())
}

fn fit(document: &Value, schema: &Value, value: &Value, place: String) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return fit(document, &document["definitions"][name], value, place);
    }
    let is = |truth: bool, what: &str| if truth { Ok(()) } else { Err(format!("{place}: {what}")) };
    match schema["type"].as_str() {
        Some("object") => {
            is(value.is_object(), "no object")?;
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                is(value.get(name).is_some(), &format!("{name} is missing"))?;
            }
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(member) = value.get(name) {
                    fit(document, schema, member, format!("{place}.{name}"))?;
                }
            }
            Ok(())
        }
        Some("array") => {
            let items = value.as_array().ok_or(format!("{place}: no array"))?;
            is(items.len() as u64 >= schema["minItems"].as_u64().unwrap_or(0), "too few")?;
            items.iter().try_for_each(|item| fit(document, &schema["items"], item, format!("{place}[]")))
        }
        Some("string") => {
            let text = value.as_str().ok_or(format!("{place}: no text"))?;
            let words = schema["enum"].as_array();
            // The document of products writes one word with a trailing blank.
            is(
                words.is_none_or(|words| words.iter().any(|word| word.as_str().unwrap().trim() == text)),
                "a word that is not declared",
            )?;
            let moment = schema["format"] == "date-time";
            is(!moment || (text.ends_with('Z') && text.parse::<Timestamp>().is_ok()), "no moment in UTC")
        }
        Some("integer") => is(value.is_i64() || value.is_u64(), "no whole number"),
        Some("number") => is(value.is_number(), "no number"),
        Some("boolean") => is(value.is_boolean(), "no truth value"),
        _ => Ok(()),
    }
}

#[test]
fn an_answer_that_a_document_does_not_declare_is_seen() {
    let Some((base, document)) = DOCUMENTS.iter().find(|(base, _)| base.contains("productOrdering")) else {
        return;
    };
    let operation = operation(document, "/productOrder/7", "GET").unwrap();
    let schema = &operation["responses"]["200"]["schema"];
    let good =
        serde_json::json!({"id": "7", "state": "held", "productOrderItem": [{"id": "1", "action": "add"}]});
    assert_eq!(fit(document, schema, &good, String::new()), Ok(()));
    for (name, value) in [
        ("state", serde_json::json!("queued")),
        ("orderDate", serde_json::json!("today")),
        ("productOrderItem", serde_json::json!([])),
        ("relatedParty", serde_json::json!([{"id": "x"}])),
        ("id", serde_json::json!(7)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(fit(document, schema, &bad, String::new()).is_err(), "{name}");
    }
    assert!(base.ends_with("/v4"));
}
