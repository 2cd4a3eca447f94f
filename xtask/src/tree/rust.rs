//! What the rules want to know of a Rust file: its words, its names, its functions, and which lines are tests.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree};

/// A Rust file, parsed.
pub(crate) struct RustFile {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Whether the whole file is a test.
    pub(crate) is_test: bool,
    /// Whether it holds nothing, apart from what it says about itself.
    pub(crate) is_empty: bool,
    pub(crate) functions: Vec<Function>,
    pub(crate) names: Vec<(Named, String, usize)>,
    words: Vec<Word>,
    imports: Vec<(Vec<String>, usize)>,
    test_lines: Vec<RangeInclusive<usize>>,
    test_modules: Vec<String>,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// What carries a name that somebody here chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Type,
    Function,
    Module,
}

struct Word {
    text: String,
    line: usize,
}

impl RustFile {
    pub(super) fn parse(path: &str, text: &str) -> Result<RustFile, (usize, String)> {
        let stream: TokenStream = text
            .parse()
            .map_err(|error: proc_macro2::LexError| (error.span().start().line, error.to_string()))?;
        let mut words = Vec::new();
        flatten(stream.clone(), &mut words);
        let syntax: syn::File =
            syn::parse2(stream).map_err(|error| (error.span().start().line, error.to_string()))?;
        let mut seen = Seen {
            modules: vec![module_folder(path)],
            ..Seen::default()
        };
        seen.visit_file(&syntax);
        Ok(RustFile {
            path: path.to_owned(),
            text: text.to_owned(),
            is_test: lies_among_tests(path) || syntax.attrs.iter().any(is_cfg_test),
            is_empty: syntax.items.is_empty(),
            functions: seen.functions,
            names: seen.names,
            words,
            imports: seen.imports,
            test_lines: seen.test_lines,
            test_modules: seen.test_modules,
        })
    }

    /// Whether the line belongs to a test.
    pub(crate) fn in_test(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// How many lines are there that are not tests.
    pub(crate) fn lines_without_tests(&self) -> usize {
        (1..=self.text.lines().count())
            .filter(|line| !self.in_test(*line))
            .count()
    }

    /// The lines on which the path or the sequence of words stands, in code or in an import: `std::fs`, `todo!`.
    ///
    /// Strings and comments do not count, macro bodies do. The lines are in order, each once.
    pub(crate) fn lines_with(&self, pattern: &str) -> Vec<usize> {
        let wanted: Vec<String> = split(pattern);
        let segments: Vec<&str> = pattern.split("::").collect();
        let spelled = self
            .words
            .windows(wanted.len())
            .filter(|window| {
                window
                    .iter()
                    .zip(&wanted)
                    .all(|(word, wanted)| word.text == *wanted)
            })
            .map(|window| window[0].line);
        let imported = self
            .imports
            .iter()
            .filter(|(path, _)| {
                path.windows(segments.len())
                    .any(|window| window == segments.as_slice())
            })
            .map(|(_, line)| *line);
        let mut lines: Vec<usize> = spelled.chain(imported).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// The lines on which the code names a crate: `name::`, or an import of it.
    pub(crate) fn lines_naming_crate(&self, identifier: &str) -> Vec<usize> {
        let mut lines = self.lines_with(&format!("{identifier}::"));
        lines.extend(self.lines_with(&format!("use {identifier}")));
        lines.extend(self.lines_with(&format!("extern crate {identifier}")));
        lines.extend(
            self.imports
                .iter()
                .filter(|(path, _)| path.first().is_some_and(|first| first == identifier))
                .map(|(_, line)| *line),
        );
        lines
    }

    /// The paths, without an ending, of the modules that are declared here behind `#[cfg(test)]`.
    pub(super) fn test_modules(&self) -> Vec<String> {
        self.test_modules.clone()
    }
}

/// Where the modules that a file declares have their files: `a/lib.rs` has them in `a`, `a/b.rs` in `a/b`.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" | "build.rs" => folder.to_owned(),
        other => format!("{folder}/{}", other.trim_end_matches(".rs")),
    }
}

/// Integration tests and benchmarks are tests by the folder in which cargo looks for them.
fn lies_among_tests(path: &str) -> bool {
    let mut parts = path.split('/').rev().skip(1);
    parts.any(|part| part == "tests" || part == "benches")
}

/// Splits `a::b!` into what the lexer makes of it: `a`, `:`, `:`, `b`, `!`.
fn split(pattern: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut current = String::new();
    for letter in pattern.chars() {
        if letter.is_alphanumeric() || letter == '_' {
            current.push(letter);
            continue;
        }
        if !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if !letter.is_whitespace() {
            words.push(letter.to_string());
        }
    }
    if !current.is_empty() {
        words.push(current);
    }
    words
}

fn flatten(stream: TokenStream, into: &mut Vec<Word>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                into.push(Word {
                    text: open.to_owned(),
                    line,
                });
                flatten(group.stream(), into);
                into.push(Word {
                    text: close.to_owned(),
                    line: group.span_close().end().line,
                });
            }
            other => into.push(Word {
                text: other.to_string(),
                line,
            }),
        }
    }
}

/// Whether the attribute says that what follows is compiled for tests only.
fn is_cfg_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    let mut words = Vec::new();
    flatten(list.tokens.clone(), &mut words);
    let has = |wanted: &str| words.iter().any(|word| word.text == wanted);
    attribute.path().is_ident("cfg") && has("test") && !has("not") && !has("any")
}

/// `#[test]`, and what other crates make of it: `#[tokio::test]`.
fn is_test_attribute(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "test")
        || is_cfg_test(attribute)
}

/// What a walk over the syntax has collected.
#[derive(Default)]
struct Seen {
    functions: Vec<Function>,
    names: Vec<(Named, String, usize)>,
    imports: Vec<(Vec<String>, usize)>,
    test_lines: Vec<RangeInclusive<usize>>,
    test_modules: Vec<String>,
    /// The folders of the modules that are open, the innermost last.
    modules: Vec<String>,
}

impl Seen {
    fn name(&mut self, kind: Named, ident: &syn::Ident) {
        self.names
            .push((kind, ident.to_string(), ident.span().start().line));
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        self.functions.push(Function {
            name: signature.ident.to_string(),
            first: signature.fn_token.span.start().line,
            last: body.brace_token.span.close().end().line,
        });
    }

    fn test(&mut self, whole: &impl Spanned) {
        let span = whole.span();
        self.test_lines.push(span.start().line..=span.end().line);
    }

    fn import(&mut self, tree: &UseTree, above: &[String]) {
        let with = |ident: &syn::Ident| [above, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self
                .imports
                .push((with(&name.ident), name.ident.span().start().line)),
            UseTree::Rename(rename) => self
                .imports
                .push((with(&rename.ident), rename.ident.span().start().line)),
            UseTree::Glob(glob) => self
                .imports
                .push((above.to_vec(), glob.star_token.span.start().line)),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.import(item, above)),
        }
    }
}

impl<'ast> Visit<'ast> for Seen {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_test_attribute) {
            self.test(item);
        }
        match item {
            Item::Struct(it) => self.name(Named::Type, &it.ident),
            Item::Enum(it) => self.name(Named::Type, &it.ident),
            Item::Union(it) => self.name(Named::Type, &it.ident),
            Item::Type(it) => self.name(Named::Type, &it.ident),
            Item::Trait(it) => self.name(Named::Type, &it.ident),
            Item::Fn(it) => {
                self.name(Named::Function, &it.sig.ident);
                self.function(&it.sig, &it.block);
            }
            Item::Use(it) => self.import(&it.tree, &[]),
            Item::Impl(it) => {
                // A method of a trait was named where the trait is.
                let is_ours = it.trait_.is_none();
                for method in &it.items {
                    if let syn::ImplItem::Fn(method) = method
                        && is_ours
                    {
                        self.name(Named::Function, &method.sig.ident);
                    }
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let folder = format!(
            "{}/{}",
            self.modules.last().map_or("", String::as_str),
            module.ident
        );
        if module.content.is_some() {
            // A module in a file of its own is named by the file.
            self.name(Named::Module, &module.ident);
        } else if module.attrs.iter().any(is_cfg_test) {
            self.test_modules.push(folder.clone());
        }
        self.modules.push(folder);
        visit::visit_item_mod(self, module);
        self.modules.pop();
    }

    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        if method.attrs.iter().any(is_test_attribute) {
            self.test(method);
        }
        self.function(&method.sig, &method.block);
        visit::visit_impl_item_fn(self, method);
    }

    fn visit_trait_item_fn(&mut self, method: &'ast syn::TraitItemFn) {
        self.name(Named::Function, &method.sig.ident);
        if let Some(body) = &method.default {
            self.function(&method.sig, body);
        }
        visit::visit_trait_item_fn(self, method);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> RustFile {
        RustFile::parse("crates/model/src/lib.rs", text).unwrap()
    }

    #[test]
    fn a_path_is_found_in_code_in_macros_and_in_grouped_imports_but_not_in_text() {
        let file = file(
            "//! std::fs\nuse std::{env, fs};\nfn a() { assert!(std::fs::exists(\"std::fs\")); }\n// std::fs\n",
        );
        assert_eq!(file.lines_with("std::fs"), [2, 3]);
    }

    #[test]
    fn lines_behind_cfg_test_are_tests() {
        let file = file("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n");
        assert_eq!(file.lines_without_tests(), 2);
        assert!(!file.in_test(1));
        assert!(file.in_test(5));
        assert!(!self::file("#[cfg(not(test))]\nfn a() {}").in_test(2));
    }

    #[test]
    fn a_crate_is_named_by_a_path_or_an_import_and_not_by_a_variable() {
        assert_eq!(
            file("fn a() { let toml = 1; toml }").lines_naming_crate("toml"),
            [0; 0]
        );
        assert_eq!(file("fn a() { toml::parse() }").lines_naming_crate("toml"), [1]);
        assert!(!file("use {toml as t};").lines_naming_crate("toml").is_empty());
    }
}
