//! Rule: fail points are for tests, and no default brings them in.

use serde_json::Value;

use super::Violation;

const FEATURE: &str = "failpoints";

/// Reads what `cargo metadata --no-deps` prints: only a feature of that very name may lead to it.
pub(super) fn check(metadata: &str) -> Vec<Violation> {
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter(|package| leads_there(package)).map(violation).collect()
}

fn leads_there(package: &Value) -> bool {
    let names = |list: &Value| {
        let named = |one: &Value| one.as_str().is_some_and(|one| one.rsplit('/').next() == Some(FEATURE));
        list.as_array().is_some_and(|list| list.iter().any(named))
    };
    let features = package["features"].as_object().into_iter().flatten();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    features.filter(|(name, _)| *name != FEATURE).any(|(_, enabled)| names(enabled))
        || dependencies.filter(|one| one["kind"] != "dev").any(|one| names(&one["features"]))
}

fn violation(package: &Value) -> Violation {
    let name = package["name"].as_str().unwrap_or_default();
    let what = format!("only a feature `{FEATURE}` may bring the fail points in: a release has none");
    Violation::new(format!("crate {name}"), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(features: &str, dependency: &str) -> usize {
        let dependencies = format!(r#"[{{"name":"store","kind":null,"features":[{dependency}]}}]"#);
        let package = format!(r#"{{"name":"a","features":{{{features}}},"dependencies":{dependencies}}}"#);
        check(&format!(r#"{{"packages":[{package}]}}"#)).len()
    }

    #[test]
    fn a_default_or_a_dependency_that_brings_fail_points_in_is_found() {
        assert_eq!(violations(r#""failpoints":["store/failpoints"]"#, ""), 0);
        assert_eq!(violations(r#""default":["store/failpoints"]"#, ""), 1);
        assert_eq!(violations(r#""server":["failpoints"],"failpoints":[]"#, ""), 1);
        assert_eq!(violations("", r#""failpoints""#), 1);
    }
}
