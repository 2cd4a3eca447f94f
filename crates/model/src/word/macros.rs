//! The macros in which the manifest's words are declared.

/// Declares a table of the manifest: a Rust struct and its description at once.
///
/// ```text
/// table! {
///     /// How many instances run.
///     Replicas { short [min max] }
///     /// The fewest.
///     min: u32 = 1;
///     /// The most; by default as many as `min`.
///     most: Option<u32>;
/// }
/// ```
///
/// The head may say `short [..]` (the fields that a bare value stands for), `named field` (the field that a bare
/// text stands for where it is the name of something declared), `one_of [..]` (exactly one of these is
/// written) and `overlays` (the root's words may stand in it, too). A field may carry, in braces, `required`,
/// `on [kind ..]` (the kinds that it belongs to), `kind "service"` (the kind of the tables below it) and
/// `eg "text"` (an example). Its default is an expression, or a function of the kind after `=>`.
#[macro_export]
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        $name:ident { $($head:tt)* }
        $(
            $(#[doc = $doc:literal])+
            $field:ident : $ty:ty $({ $($flag:tt)* })? $(= $default:expr)? $(=> $by_kind:expr)? ;
        )+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $ty,)+
        }

        impl $name {
            /// Its description.
            pub fn table() -> &'static $crate::word::Table {
                static TABLE: std::sync::LazyLock<$crate::word::Table> =
                    std::sync::LazyLock::new(|| $crate::word::Table {
                        name: stringify!($name),
                        about: concat!($($about, "\n"),+),
                        fields: vec![$($crate::word::Field {
                            name: stringify!($field),
                            about: concat!($($doc, "\n"),+),
                            shape: <$ty as $crate::word::Word>::shape,
                            required: $crate::table!(@required $($($flag)*)?),
                            optional: <$ty as $crate::word::Word>::OPTIONAL,
                            on: $crate::table!(@on $($($flag)*)?),
                            kind: $crate::table!(@kind $($($flag)*)?),
                            example: $crate::table!(@eg $($($flag)*)?),
                            default: |kind| {
                                let _ = kind;
                                let default: Option<$ty> = $crate::table!(@default kind, $ty $(, = $default)? $(, => $by_kind)?);
                                default.as_ref().and_then(|word| $crate::word::Word::write(word, kind))
                            },
                        },)+],
                        short: $crate::table!(@short $($head)*),
                        named: $crate::table!(@named $($head)*),
                        one_of: $crate::table!(@one_of $($head)*),
                        overlays: $crate::table!(@overlays $($head)*),
                        order: std::sync::OnceLock::new(),
                    });
                &TABLE
            }
        }

        impl $crate::word::Word for $name {
            fn shape() -> $crate::word::Shape {
                $crate::word::Shape::Table($name::table)
            }

            fn read(node: &$crate::spec::Node, kind: &str) -> Option<Self> {
                let entries = node.table()?;
                let _ = kind;
                // What is written is far less than what could be: one look at each entry, and none at each field.
                $(let mut $field: Option<&$crate::spec::Node> = None;)+
                for (name, node) in entries {
                    match name.as_str() {
                        $(stringify!($field) => $field = Some(&**node),)+
                        _ => {}
                    }
                }
                Some($name {
                    $($field: {
                        let below: &str = match $crate::table!(@kind $($($flag)*)?) { "" => kind, own => own };
                        let read = match $field {
                            Some(node) => <$ty as $crate::word::Word>::read(node, below),
                            None => None,
                        };
                        match read {
                            Some(word) => word,
                            None => {
                                let default: Option<$ty> = $crate::table!(@default kind, $ty $(, = $default)? $(, => $by_kind)?);
                                match default {
                                    Some(word) => word,
                                    None => <$ty as $crate::word::Word>::absent()?,
                                }
                            }
                        }
                    },)+
                })
            }

            fn write(&self, kind: &str) -> Option<$crate::spec::Node> {
                let mut entries = $crate::spec::Entries::new();
                let _ = kind;
                $(
                    let on: &[&str] = $crate::table!(@on $($($flag)*)?);
                    let belongs = on.is_empty() || kind.is_empty() || on.contains(&kind);
                    // What is empty against its default has to be said, or it would come back as the default.
                    let says = <$ty as $crate::word::Word>::absent().as_ref() != Some(&self.$field)
                        || $crate::table!(@defaulted $(= $default)? $(=> $by_kind)?);
                    if belongs && says {
                        let below: &str = match $crate::table!(@kind $($($flag)*)?) { "" => kind, own => own };
                        if let Some(node) = $crate::word::Word::write(&self.$field, below) {
                            entries.insert(stringify!($field).to_owned(), std::sync::Arc::new(node));
                        }
                    }
                )+
                Some($crate::spec::Node::new($crate::spec::Kind::Table(entries)))
            }
        }
    };

    (@default $kind:ident, $ty:ty) => { None };
    (@default $kind:ident, $ty:ty, = $default:expr) => { Some($default) };
    (@default $kind:ident, $ty:ty, => $by_kind:expr) => { { let by: fn(&str) -> $ty = $by_kind; Some(by($kind)) } };

    (@defaulted) => { false };
    (@defaulted $($default:tt)+) => { true };

    (@required) => { false };
    (@required required $($rest:tt)*) => { true };
    (@required $skip:tt $($rest:tt)*) => { $crate::table!(@required $($rest)*) };

    (@on) => { &[] };
    (@on on [$($kind:ident)*] $($rest:tt)*) => { &[$(stringify!($kind)),*] };
    (@on $skip:tt $($rest:tt)*) => { $crate::table!(@on $($rest)*) };

    (@kind) => { "" };
    (@kind kind $kind:literal $($rest:tt)*) => { $kind };
    (@kind $skip:tt $($rest:tt)*) => { $crate::table!(@kind $($rest)*) };

    (@eg) => { "" };
    (@eg eg $example:literal $($rest:tt)*) => { $example };
    (@eg $skip:tt $($rest:tt)*) => { $crate::table!(@eg $($rest)*) };

    (@short) => { &[] };
    (@short short [$($field:ident)*] $($rest:tt)*) => { &[$(stringify!($field)),*] };
    (@short $skip:tt $($rest:tt)*) => { $crate::table!(@short $($rest)*) };

    (@named) => { "" };
    (@named named $field:ident $($rest:tt)*) => { stringify!($field) };
    (@named $skip:tt $($rest:tt)*) => { $crate::table!(@named $($rest)*) };

    (@one_of) => { &[] };
    (@one_of one_of [$($field:ident)*] $($rest:tt)*) => { &[$(stringify!($field)),*] };
    (@one_of $skip:tt $($rest:tt)*) => { $crate::table!(@one_of $($rest)*) };

    (@overlays) => { false };
    (@overlays overlays $($rest:tt)*) => { true };
    (@overlays $skip:tt $($rest:tt)*) => { $crate::table!(@overlays $($rest)*) };
}

/// Declares a choice between a few words: a Rust enum and its description at once.
///
/// The first word is the default.
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        $name:ident
        $($(#[doc = $doc:literal])+ $variant:ident = $word:literal;)+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// Every word, in the order of the reference.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as it is written.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::word::Word for $name {
            fn shape() -> $crate::word::Shape {
                $crate::word::Shape::Choice(&[$($crate::word::Choice { word: $word, about: concat!($($doc, "\n"),+) }),+])
            }

            fn read(node: &$crate::spec::Node, _: &str) -> Option<Self> {
                match node.scalar()?.as_str() {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }

            fn write(&self, _: &str) -> Option<$crate::spec::Node> {
                Some($crate::spec::Node::text(self.word()))
            }
        }
    };
}

/// Declares what references may name.
#[macro_export]
macro_rules! target {
    ($($(#[doc = $about:literal])+ $name:ident = [$($table:literal)+];)+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $name {}

            impl $crate::word::Target for $name {
                const TABLES: &'static [&'static str] = &[$($table),+];
            }
        )+
    };
}
