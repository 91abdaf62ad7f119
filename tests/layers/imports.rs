//! Modules import only from the layers below theirs, by the table in `docs/design.md`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layer of each module of the table, from the bottom, and what may stand in it: a module, or a module of one.
fn layers(design: &str) -> HashMap<String, usize> {
    let table = design.split("\n## ").find(|section| section.starts_with("Layers")).expect("a section on layers");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let mut layers = HashMap::new();
    for (layer, row) in rows.enumerate() {
        let modules = row.split('|').nth(1).expect("a column of modules");
        for module in modules.split('`').skip(1).step_by(2) {
            assert_eq!(layers.insert(module.to_owned(), layer), None, "{module} is in the table twice");
        }
    }
    layers
}

/// All files of Rust under a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file, without comments and without its tests.
fn code(source: &str) -> String {
    let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = shipped.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths behind `root` that code names: `a::b` for `crate::a::b`, each leaf of a group in braces by itself.
fn paths(code: &str, root: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(root) {
        let begins_word = !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        if begins_word {
            found.extend(leaves(&code[at + root.len()..]));
        }
    }
    found
}

/// The leaves of the use tree, or of the path, that a text begins with.
fn leaves(text: &str) -> Vec<String> {
    if let Some(group) = text.strip_prefix('{') {
        let (mut all, mut rest) = (Vec::new(), group);
        loop {
            rest = rest.trim_start_matches([' ', '\n', ',']);
            if rest.starts_with('}') || rest.is_empty() {
                return all;
            }
            all.extend(leaves(rest));
            // The next item of this group.
            let mut depth = 0;
            let end = rest.find(|c: char| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth < 0 || (depth == 0 && c == ',')
            });
            rest = &rest[end.unwrap_or(rest.len())..];
        }
    }
    let name_end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    match rest.strip_prefix("::") {
        Some(more) if more.starts_with(|c: char| c.is_alphabetic() || c == '{' || c == '_') => {
            leaves(more).into_iter().map(|leaf| format!("{name}::{leaf}")).collect()
        }
        _ => vec![name.to_owned()],
    }
}

/// The module of the table that a path of modules and names is in: `games::error` before `games`.
fn module_of<'t>(path: &str, layers: &'t HashMap<String, usize>) -> Option<&'t str> {
    let is_prefix = |module: &&String| {
        path.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    layers.keys().filter(is_prefix).max_by_key(|module| module.len()).map(String::as_str)
}

/// Where the names at the root come from, by `pub use` lines of `lib.rs`.
fn root_names(lib: &str) -> HashMap<String, String> {
    let uses = lib.match_indices("pub use ").flat_map(|(at, begin)| leaves(&lib[at + begin.len()..]));
    uses.filter_map(|path| Some((path.rsplit("::").next()?.to_owned(), path))).collect()
}

/// The path from the root of a `super::` path, given without its first `super`, of a module; `None` if it is not of a module
/// or a name that is known. (Modules within a file are taken for the file.)
fn out_of(module: &str, path: &str, layers: &HashMap<String, usize>, root: &HashMap<String, String>) -> Option<String> {
    let ups = 1 + path.split("::").take_while(|part| *part == "super").count();
    let parts: Vec<&str> = module.split("::").collect();
    let rest = path.split("::").skip(ups - 1);
    let path = parts[..parts.len().saturating_sub(ups)].iter().copied().chain(rest).collect::<Vec<_>>().join("::");
    let first = path.split("::").next().unwrap_or_default();
    (root.contains_key(first) || module_of(&path, layers).is_some()).then_some(path)
}

/// What is wrong with the imports of a file: the modules that it imports from and must not.
fn wrong(file: &str, source: &str, layers: &HashMap<String, usize>, root: &HashMap<String, String>) -> Vec<String> {
    let own_path = file.trim_end_matches(".rs").replace('/', "::");
    let Some(own) = module_of(&own_path, layers) else {
        return vec![format!("{file}: its module is not in the table of docs/design.md")];
    };
    let mut wrong = Vec::new();
    let code = code(source);
    // Another way to write a path than those below would not be seen.
    for unseen in ["crate as ", "extern crate", "macro_export"] {
        if code.contains(unseen) {
            wrong.push(format!("{file}: `{unseen}` hides names from this test"));
        }
    }
    let above = paths(&code, "super::").into_iter().filter_map(|path| out_of(&own_path, &path, layers, root));
    for path in paths(&code, "crate::").into_iter().chain(above) {
        let first = path.split("::").next().unwrap_or_default();
        let path = root.get(first).unwrap_or(&path);
        match module_of(path, layers) {
            Some(theirs) if theirs == own || layers[theirs] < layers[own] => {}
            Some(theirs) => wrong.push(format!("{file}: `{own}` must not import `{path}`, which is of `{theirs}`")),
            None => wrong.push(format!("{file}: the module of `{path}` is not in the table of docs/design.md")),
        }
    }
    wrong
}

#[test]
fn modules_import_from_below_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers = layers(include_str!("../../docs/design.md"));
    let lib = include_str!("../../src/lib.rs");
    let root = root_names(&code(lib));
    let mut all = Vec::new();
    for path in sources(&src) {
        let file =
            path.strip_prefix(&src).expect("a file of src").to_str().expect("a name in UTF-8").replace('\\', "/");
        if file != "lib.rs" {
            all.extend(wrong(&file, &fs::read_to_string(&path).expect("a file"), &layers, &root));
        }
    }
    all.sort();
    all.dedup();
    assert!(all.is_empty(), "{} imports against the layers:\n{}", all.len(), all.join("\n"));
    // Every module of the table is there.
    for module in layers.keys() {
        let path = src.join(module.replace("::", "/"));
        assert!(path.with_extension("rs").exists(), "{module} is in the table and not in src");
    }
}

#[test]
fn imports_against_the_layers_are_found() {
    let layers = layers("\n## Layers\n| `a`, `b` | |\n| `games::error` | |\n| `games` | |\n\n## Next\n| `z` | |\n");
    let root = root_names("pub use games::{Words, error::GameError};\npub use a::A;\n");
    let found = |file: &str, source: &str| wrong(file, source, &layers, &root).len();
    assert_eq!(found("games/words.rs", "use crate::{A, GameError, a::{B, c::{D, E}}};\nuse crate::b::F;"), 0);
    assert_eq!(found("games/words.rs", "// use crate::z::Z;\n#[cfg(test)]\nmod tests {\n use crate::z::Z;\n}"), 0);
    assert_eq!(found("games/error.rs", "use crate::games::Words;"), 1);
    assert_eq!(found("a.rs", "use crate::{\n    Words,\n    a::{B, C},\n    b::F,\n};"), 2);
    assert_eq!(found("a.rs", "fn f() -> crate::GameError { crate::b::g() }"), 2);
    assert_eq!(found("z.rs", "use crate::a::A;"), 1);
    assert_eq!(found("a.rs", "use super::b::F;"), 1);
    assert_eq!(found("a/c.rs", "use super::d::G;\nuse super::super::{b::F, a::H, Words};"), 2);
    assert_eq!(found("games/error.rs", "use super::Words;"), 1);
    assert_eq!(found("a.rs", "use crate as c;\nuse c::b::F;"), 1);
}
