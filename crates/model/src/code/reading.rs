//! Rules about files and TOML.

super::codes! {
    "TP00" "Reading files";
    TP0001 NO_MANIFEST Error "a manifest is a readable file";
    TP0002 NOT_UTF8 Error "a manifest is UTF-8 text";
    TP0003 TOO_LARGE Error "a manifest is at most 8 MiB";
    TP0004 NOT_TOML Error "a manifest is TOML";
    TP0005 DUPLICATE_KEY Error "a key stands once";
    TP0006 TOO_DEEP Error "tables nest at most 32 deep";
    TP0007 INCLUDE_MISSING Error "an included manifest is a readable file";
    TP0008 INCLUDE_LOOP Error "manifests do not include each other in a circle";
    TP0009 INCLUDE_CLASH Error "manifests that belong together say each thing once";
    TP0010 INCLUDE_OUTSIDE Error "an included manifest lies in or below the folder of the product";
    TP0011 TOO_MANY_INCLUDES Error "a product has at most 256 manifests";
}
