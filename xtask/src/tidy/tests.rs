//! Each rule on a made-up violation, and on what it must let pass.

use super::*;

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn found(violations: &[Violation]) -> String {
    violations.iter().map(|violation| format!("{violation}\n")).collect()
}

#[test]
fn a_file_of_601_lines_is_too_long() {
    assert_eq!(text::check_size(&source("a.rs", &"x\n".repeat(601))).len(), 1);
    assert!(text::check_size(&source("a.rs", &"x\n".repeat(600))).is_empty());
}

#[test]
fn names_that_say_nothing_are_found() {
    for line in [
        concat!("pub struct Book", "Manager;"),
        "mod utils;",
        "fn helper() {}",
        "trait JobHelper {}",
        "fn get_book() {}",
    ] {
        assert_eq!(text::check_names(&source("a.rs", line)).len(), 1, "{line}");
    }
    assert_eq!(text::check_names(&source("crates/x/src/utils.rs", "")).len(), 1);
    for line in
        ["struct Book;", "// a struct Manager would say nothing", "fn forget_book() {}", "mod managers;"]
    {
        assert!(text::check_names(&source("a.rs", line)).is_empty(), "{line}");
    }
}

#[test]
fn a_path_of_one_machine_is_found_and_a_temporary_one_only_outside_of_tests() {
    let work = format!("see {}main", concat!("/wo", "rk/"));
    assert_eq!(text::check_paths(&source("README.md", &work)).len(), 1);
    let temporary = format!("let path = \"{}x\";", concat!("/t", "mp/"));
    assert_eq!(text::check_paths(&source("crates/x/src/a.rs", &temporary)).len(), 1);
    assert!(text::check_paths(&source("crates/x/tests/it/a.rs", &temporary)).is_empty());
    let in_tests = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{temporary}\n}}");
    assert!(text::check_paths(&source("crates/x/src/a.rs", &in_tests)).is_empty());
}

#[test]
fn a_registry_host_is_found() {
    let line = format!("url = \"https://{}\"", concat!("crates", ".io"));
    assert_eq!(text::check_registries(&source("deny.toml", &line)).len(), 1);
}

#[test]
fn a_clock_or_a_file_in_a_pure_crate_is_found() {
    let line = "let now = std::time::Instant::now();";
    assert_eq!(text::check_pure(&source("crates/matching/src/a.rs", line)).len(), 1);
    assert!(text::check_pure(&source("crates/matching/examples/a.rs", line)).is_empty());
    assert!(
        text::check_pure(&source("crates/domain/src/a.rs", "/// Unlike std::fs, this is pure.")).is_empty()
    );
}

#[test]
fn a_way_around_the_ports_of_the_terminal_is_found() {
    let found = |path: &str, line: &str| text::check_ports(&source(path, line)).len();
    let file = "let bytes = std::fs::read(path);";
    assert_eq!(found("crates/terminal/src/scan.rs", file), 1);
    assert_eq!(found("crates/terminal/src/memory.rs", file), 0);
    assert_eq!(found("crates/terminal/tests/it/main.rs", file), 0);
    assert_eq!(found("crates/terminal/src/memory.rs", "static LAST: Mutex<State> = new();"), 1);
    assert_eq!(found("crates/terminal/src/scan.rs", "fn code() -> &'static str { \"a\" }"), 0);
}

#[test]
fn sql_outside_of_the_store_is_found() {
    let line = "let rows = run(\"SELECT 1 FROM book\");";
    assert_eq!(text::check_sql(&source("crates/contacts/src/a.rs", line)).len(), 1);
    assert!(text::check_sql(&source("crates/store/src/a.rs", line)).is_empty());
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let manifest = "[workspace.dependencies]\n# --- data ---\na = \"1\"\n# Why.\nb = \"1\"\nc = \"1\" # why\n\
                    domain = { path = \"x\" }\nd = { version = \"1\" }\n[profile.dev]\ndebug = 1\n";
    let violations = manifest::check_comments(&source("Cargo.toml", manifest));
    assert_eq!(violations.len(), 2, "{}", found(&violations));
    assert!(violations[0].to_string().starts_with("Cargo.toml:3: `a`"));
}

#[test]
fn a_member_that_goes_its_own_way_is_found() {
    let manifest =
        "[dependencies]\na.workspace = true\nb = \"1\"\nc = { workspace = true, optional = true }\n";
    let violations = manifest::check_member(&source("crates/x/Cargo.toml", manifest));
    assert_eq!(violations.len(), 2, "{}", found(&violations));
    let fine = "[lints]\nworkspace = true\n[dev-dependencies]\nsmpp = { path = \".\" }\n";
    assert!(manifest::check_member(&source("crates/x/Cargo.toml", fine)).is_empty());
}

#[test]
fn a_dependency_that_nobody_uses_is_found() {
    let manifest = source(
        "crates/x/Cargo.toml",
        "[dependencies]\na-b.workspace = true\nc.workspace = true\nd.workspace = true # for a feature\n",
    );
    let sources =
        [source("crates/x/src/lib.rs", "use a_b::of;\nlet cd = 1;"), source("crates/y/src/lib.rs", "c::d()")];
    let violations = manifest::check_use(&manifest, &sources);
    assert_eq!(found(&violations), "crates/x/Cargo.toml:3: `c` is not used\n");
}

#[test]
fn what_the_architecture_names_must_exist() {
    let exists =
        |path: &str| ["docs", "docs/errors", "crates/store/src/embedded/", "crates/store"].contains(&path);
    let code = source("crates/store/src/lib.rs", "pub struct Store; mod books; fn replace() {}");
    let check = |page: &str| {
        let sources = [source("ARCHITECTURE.md", page), source("crates/store/src/lib.rs", &code.text)];
        architecture::check(&sources, exists).len()
    };
    for gone in ["`docs/gone`", "`StoreError`", "`store::pages::replace`", "`GONE.md`", "`store/gone`"] {
        assert_eq!(check(gone), 1, "{gone}");
    }
    for fine in
        ["`docs/errors`", "`Store`", "`store::books::replace`", "`embedded/`", "`job`", "`text/plain`"]
    {
        assert_eq!(check(fine), 0, "{fine}");
    }
    assert_eq!(check("```\nGone::gone `Gone`\n```\n`SIGTERM` `GET /v1/me` `a = b`"), 0);
    assert_eq!(check(&"line\n".repeat(301)), 1);
    assert_eq!(architecture::check(&[], exists).len(), 1);
}

#[test]
fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
    let declared = "codes! {\n    NotFound = \"not-found\", 404, \"Nothing here\";\n    A = \"auth/missing\", 401, \"x\";\n}";
    let sources = [
        source("crates/api/src/problem.rs", declared),
        source("docs/errors/not-found.md", ""),
        source("docs/errors/stray.md", ""),
        source("docs/errors/README.md", ""),
    ];
    let violations = found(&codes::check(&sources));
    assert_eq!(violations.lines().count(), 2, "{violations}");
    assert!(violations.contains("auth-missing.md") && violations.contains("stray.md"), "{violations}");
    assert_eq!(codes::check(&[]).len(), 1);
}

#[test]
fn a_change_log_without_words_in_its_top_entry_is_found() {
    assert_eq!(check_changelog(None).len(), 1);
    assert_eq!(check_changelog(Some("# Changes\n\n## Unreleased\n\n## 0.1.0\n- x")).len(), 1);
    assert!(check_changelog(Some("# Changes\n\n## Unreleased\n- x\n")).is_empty());
}
