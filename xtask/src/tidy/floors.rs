//! Which crate may import which: the picture in ARCHITECTURE.md, as a table.

use serde_json::Value;

use super::Violation;

/// Each of our crates and the crates of ours below it that it may import.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("matching", &[]),
    ("smpp", &[]),
    ("api", &["domain"]),
    ("tmf", &["domain"]),
    ("store", &["domain", "matching"]),
    ("edge", &["api", "domain"]),
    ("sms", &["domain", "smpp", "store"]),
    ("terminal", &["api", "domain"]),
    ("contacts", &["api", "domain", "edge", "store", "tmf"]),
    ("exchange", &["api", "domain", "edge", "store", "tmf"]),
    ("platform", &["api", "domain", "edge", "store", "tmf"]),
    ("operator", &["api", "domain", "edge", "store"]),
    ("web", &["api", "edge"]),
    (
        "hutong",
        &[
            "api", "contacts", "domain", "edge", "exchange", "matching", "operator", "platform", "smpp",
            "sms", "store", "terminal", "tmf", "web",
        ],
    ),
    ("inputs", &["api", "domain", "edge", "matching", "smpp", "terminal", "tmf"]),
    ("xtask", &[]),
];

/// Libraries that one wall fences in, who may import them, and why.
const FENCED: &[(&[&str], &[&str], &str)] = &[
    (&["rusqlite", "tokio-postgres", "deadpool-postgres"], &["store"], "`store` alone knows SQL"),
    (
        &["axum"],
        &["edge", "contacts", "exchange", "operator", "platform", "web", "hutong", "smpp", "inputs"],
        "HTTP is served by `edge`, the roles and the simulated centre, and `inputs` tries what `edge` takes",
    ),
    (&["getrandom"], &["hutong"], "randomness is made once, in `hutong`"),
    (&["rusmpp"], &["smpp"], "`smpp` alone speaks to an SMS centre"),
];

/// The crates without I/O, and the libraries that would bring it in.
const PURE: (&[&str], &[&str]) =
    (&["domain", "matching"], &["tokio", "reqwest", "axum", "hyper", "futures", "tracing"]);

/// The names of our crates.
pub(super) fn rooms() -> impl Iterator<Item = &'static str> {
    FLOORS.iter().map(|(name, _)| *name)
}

/// A crate of the workspace.
pub(super) struct Member {
    name: String,
    /// Every dependency's name and whether it is one of the workspace, of every kind.
    dependencies: Vec<(String, bool)>,
}

/// Reads what `cargo metadata --no-deps` prints.
pub(super) fn members(metadata: &str) -> Option<Vec<Member>> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    metadata["packages"].as_array()?.iter().map(member).collect()
}

fn member(package: &Value) -> Option<Member> {
    let dependencies = package["dependencies"]
        .as_array()?
        .iter()
        .map(|dependency| Some((dependency["name"].as_str()?.to_owned(), dependency["path"].is_string())));
    Some(Member {
        name: package["name"].as_str()?.to_owned(),
        dependencies: dependencies.collect::<Option<_>>()?,
    })
}

/// Rules: every arrow is in the table, heavy libraries stay behind their walls, pure crates stay pure.
/// Dependencies of tests count too: a test that needs more belongs to a higher floor.
pub(super) fn check(members: &[Member]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in members {
        let Some((name, below)) = FLOORS.iter().find(|(name, _)| *name == member.name) else {
            let what = "this crate has no floor: add it to xtask/src/tidy/floors.rs and ARCHITECTURE.md";
            violations.push(Violation::new(format!("crate {}", member.name), what));
            continue;
        };
        for (dependency, ours) in &member.dependencies {
            let fault = if *ours { misplaced(name, below, dependency) } else { fenced(name, dependency) };
            violations.extend(fault.map(|what| Violation::new(format!("crate {name}"), what)));
        }
    }
    violations
}

fn misplaced(name: &str, below: &[&str], dependency: &str) -> Option<String> {
    // A crate names itself to have more features in its tests.
    let allowed = dependency == name || below.contains(&dependency);
    (!allowed).then(|| format!("it must not import `{dependency}`; the floors in ARCHITECTURE.md say why"))
}

fn fenced(name: &str, dependency: &str) -> Option<String> {
    if PURE.0.contains(&name) && PURE.1.contains(&dependency) {
        return Some(format!("it does no I/O and must not import `{dependency}`"));
    }
    let (_, _, why) = FENCED
        .iter()
        .find(|(fenced, allowed, _)| fenced.contains(&dependency) && !allowed.contains(&name))?;
    Some(format!("it must not import `{dependency}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str, dependencies: &[(&str, bool)]) -> usize {
        let dependencies = dependencies.iter().map(|(name, ours)| ((*name).to_owned(), *ours)).collect();
        check(&[Member { name: name.to_owned(), dependencies }]).len()
    }

    #[test]
    fn a_role_that_imports_another_role_is_found() {
        assert_eq!(faults("exchange", &[("platform", true)]), 1);
        assert_eq!(faults("contacts", &[("exchange", true), ("edge", true)]), 1);
        assert_eq!(faults("exchange", &[("tmf", true), ("store", true)]), 0);
    }

    #[test]
    fn a_terminal_or_web_that_imports_the_store_is_found() {
        assert_eq!(faults("terminal", &[("store", true), ("edge", true)]), 2);
        assert_eq!(faults("web", &[("store", true)]), 1);
    }

    #[test]
    fn a_database_outside_of_the_store_is_found() {
        assert_eq!(faults("contacts", &[("rusqlite", false)]), 1);
        assert_eq!(faults("store", &[("rusqlite", false), ("tokio-postgres", false)]), 0);
    }

    #[test]
    fn input_or_output_below_the_pure_crates_is_found() {
        assert_eq!(faults("domain", &[("tokio", false), ("serde", false)]), 1);
        assert_eq!(faults("matching", &[("domain", true)]), 1);
    }

    #[test]
    fn a_crate_without_a_floor_is_found_and_a_crate_may_name_itself() {
        assert_eq!(faults("lobby", &[]), 1);
        assert_eq!(faults("smpp", &[("smpp", true)]), 0);
    }

    #[test]
    fn what_cargo_prints_is_read() {
        let metadata = r#"{"packages":[{"name":"api","dependencies":[
            {"name":"domain","path":"x","kind":null},{"name":"serde","path":null,"kind":"dev"}]}]}"#;
        let members = members(metadata).unwrap();
        assert_eq!(members[0].dependencies, [("domain".to_owned(), true), ("serde".to_owned(), false)]);
    }
}
