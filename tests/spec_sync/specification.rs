//! `spec/format.md`, taken apart: its tables and its lists of fields.

use std::collections::BTreeMap;

use super::tree;

/// The specification's text.
pub(crate) fn text() -> String {
    tree::text("spec/format.md").unwrap()
}

/// The cells of the first table behind a line that begins with `heading`, without its head.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    let text = text();
    let behind = text.split_once(&format!("\n{heading}")).unwrap().1;
    let lines = behind.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(cells).collect()
}

fn cells(line: &str) -> Vec<String> {
    let inside = line.trim().trim_start_matches('|').trim_end_matches('|');
    inside.split('|').map(|cell| cell.trim().replace('`', "")).collect()
}

/// A field of a structure in metadata encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// The fields of every structure that the specification lists, by its name; alternatives are `Page 0` and so on.
pub(crate) fn structures() -> BTreeMap<String, Vec<Field>> {
    let mut found = BTreeMap::new();
    let mut named = String::new();
    for paragraph in text().split("\n\n") {
        let first = paragraph.trim_start_matches('#').trim_start_matches([' ', '.']);
        let first = first.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
        if paragraph.starts_with("| field | type |") {
            let fields = paragraph.lines().skip(2).map(cells);
            let fields = fields.map(|cells| Field { name: cells[0].clone(), kind: cells[1].clone() });
            found.insert(named.clone(), fields.collect());
        } else if paragraph.starts_with("- 0 ") {
            for line in paragraph.lines() {
                let number = line.trim_start_matches("- ").split(' ').next().unwrap();
                found.insert(format!("{named} {number}"), fields_of(line));
            }
        } else if let Some((name, rest)) = first.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
            named = name.to_owned();
            let fields = fields_of(rest);
            if rest.starts_with(": `") {
                found.insert(named.clone(), fields);
            }
        }
        // The two that stand in the midst of a sentence.
        for (start, name) in
            [("A `SliceReference` is ", "SliceReference"), ("In metadata encoding a `Reference` has ", "Reference")]
        {
            if let Some((_, sentence)) = paragraph.split_once(start) {
                let end = sentence.find(['.', ';']).unwrap();
                found.insert(name.to_owned(), fields_of(&sentence[..end]));
            }
        }
    }
    found
}

/// All that stands in backticks as `name type`.
fn fields_of(text: &str) -> Vec<Field> {
    let quoted = text.split('`').skip(1).step_by(2);
    let pairs = quoted.filter_map(|quoted| quoted.split_once(' '));
    pairs
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(|(name, kind)| Field { name: name.to_owned(), kind: kind.to_owned() })
        .collect()
}

/// One row of a table of a fixed layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) size: usize,
    pub(crate) kind: String,
    /// What the specification calls it, without what it explains.
    pub(crate) name: String,
}

/// A fixed layout; its places follow one another without gaps.
pub(crate) fn layout(heading: &str) -> Vec<Place> {
    let places: Vec<Place> = table(heading)
        .into_iter()
        .map(|cells| Place {
            offset: cells[0].parse().unwrap(),
            size: cells[1].parse().unwrap(),
            kind: cells[2].clone(),
            name: cells[3].split([':', ',']).next().unwrap().to_owned(),
        })
        .collect();
    let mut end = 0;
    for place in &places {
        assert_eq!(place.offset, end, "{heading}: {place:?} does not begin where the one before it ends");
        end += place.size;
    }
    places
}

#[test]
fn structures_are_found_in_all_their_forms() {
    let structures = structures();
    let names = |name: &str| -> Vec<&str> { structures[name].iter().map(|field| field.name.as_str()).collect() };
    assert_eq!(names("Label"), ["table", "what", "group", "column", "rows", "length"]);
    assert_eq!(names("Reference"), ["offset", "length", "digest"]);
    assert_eq!(names("SliceReference"), ["frame", "start", "length"]);
    assert_eq!(names("Catalog"), ["tables", "objects"]);
    assert_eq!(names("Column"), ["name", "declared_type", "logical", "nullable", "hidden"]);
    assert_eq!(names("Page 0"), ["frames", "groups"]);
    assert_eq!(names("Page 1"), ["children"]);
    assert_eq!(names("Filter 0"), ["expression"]);
    assert_eq!(names("Filter 1"), ["column", "age", "instant"]);
    assert_eq!(names("Bound"), ["value", "exact"]);
    assert_eq!(structures["TableManifest"].len(), 9);
    assert_eq!(structures["SnapshotManifest"].len(), 11);
}
