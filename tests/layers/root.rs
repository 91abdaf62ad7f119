//! The root of the crate has few names, so that its page in the documents fits a screen.

/// Functions, types and traits at the root, with all features.
const MOST: usize = 31;

/// Modules that users see.
const MODULES: [&str; 5] = ["games", "mpi", "parts", "plot", "store"];

/// The names that `pub use` lines give, nested braces and `as` included.
fn exported(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    for statement in source.split("pub use ").skip(1) {
        let tree = statement.split(';').next().expect("a statement");
        for item in tree.split([',', '{', '}']).map(str::trim) {
            let name = item.rsplit(" as ").next().and_then(|path| path.rsplit("::").next()).unwrap_or_default();
            assert_ne!(name, "*", "pub use {tree}: a glob hides how many names there are");
            if !name.is_empty() {
                names.push(name.to_owned());
            }
        }
    }
    names
}

#[test]
fn the_root_has_few_names() {
    let source = include_str!("../../src/lib.rs");
    let names = exported(source);
    assert!(names.len() <= MOST, "{} names at the root, and at most {MOST} are wanted: {names:?}", names.len());
    assert!(
        names.len() > 20 && ["Exact", "DiskStore", "KernelShap"].iter().all(|name| names.contains(&(*name).to_owned()))
    );

    let modules: Vec<&str> =
        source.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, MODULES);
    // Whatever else is public would be a name that the count above does not see.
    let others: Vec<&str> = source
        .lines()
        .filter(|line| line.starts_with("pub ") && !line.starts_with("pub use ") && !line.starts_with("pub mod "))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn names_are_counted() {
    let source = "mod a;\npub use a::B;\npub use c::{D, e::{F, G as H}};\n#[cfg(x)]\npub use i::j;\n";
    assert_eq!(exported(source), ["B", "D", "F", "H", "j"]);
}
