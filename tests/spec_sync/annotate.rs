//! Explains every byte of an archive by what the specification says stands there: the tables and lists of fields of
//! `spec/format.md` drive it, nothing of the library does. What they do not account for, fails.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::specification::{self, Field};

/// Lines of `offset  bytes  meaning`, in which every byte of the archive stands once.
pub(crate) fn annotate(archive: &[u8]) -> String {
    let structures = specification::structures();
    let mut out = String::new();
    let mut at = 0;
    let mut file = Walk { bytes: archive, start: 0, at: 0, expanded: false, structures: &structures, out: &mut out };
    file.layout("### 3.1", "");
    at += file.at;
    while at < archive.len() {
        out.push('\n');
        at += frame(&archive[at..], at, &structures, &mut out);
    }
    out
}

/// Explains a frame; gives its length.
fn frame(bytes: &[u8], start: usize, structures: &Structures, out: &mut String) -> usize {
    let mut header = Walk { bytes, start, at: 0, expanded: false, structures, out };
    let fields = header.layout("### 3.2", "");
    let (kind, flags) = (fields["kind"], fields["flags"]);
    let stored = usize::try_from(fields["stored length"]).unwrap();
    let begin = header.at;
    let body = &bytes[begin..begin + stored];
    let compressed = flags & 1 != 0;
    let expanded = if compressed {
        header.field(stored, "body: one Zstandard frame, which expands to");
        zstd::stream::decode_all(body).unwrap()
    } else {
        body.to_vec()
    };
    let start = if compressed { 0 } else { start + begin };
    let mut walk = Walk { bytes: &expanded, start, at: 0, expanded: compressed, structures, out };
    match kind {
        1 | 2 => walk.slices(),
        3 => walk.value("Catalog", ""),
        4 => walk.value("SnapshotManifest", ""),
        5 => {
            walk.layout("### 4.1", "");
        }
        6 => walk.value("HistoryPage", ""),
        _ => walk.value("ErasureRecords", ""),
    }
    assert_eq!(walk.at, expanded.len(), "bytes of a frame of kind {kind} that the specification does not explain");
    begin + stored
}

type Structures = BTreeMap<String, Vec<Field>>;

struct Walk<'a> {
    bytes: &'a [u8],
    start: usize,
    at: usize,
    /// Are these bytes not in the file, but what others expand to?
    expanded: bool,
    structures: &'a Structures,
    out: &'a mut String,
}

impl Walk<'_> {
    /// Writes the next bytes with their meaning, and passes over them.
    fn field(&mut self, length: usize, meaning: &str) {
        let mark = if self.expanded { '+' } else { ' ' };
        let mut meaning = meaning;
        for (index, bytes) in self.bytes[self.at..self.at + length].chunks(16).enumerate() {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let offset = self.start + self.at + 16 * index;
            let line = format!("{mark}{offset:04x}  {:<47}  {meaning}", hex.join(" "));
            writeln!(self.out, "{}", line.trim_end()).unwrap();
            meaning = "";
        }
        self.at += length;
    }

    fn number(&self, at: usize, size: usize) -> u64 {
        self.bytes[at..at + size].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Explains a fixed layout; gives the numbers that stand in it.
    fn layout(&mut self, heading: &str, prefix: &str) -> BTreeMap<String, u64> {
        let mut numbers = BTreeMap::new();
        for place in specification::layout(heading) {
            let name = format!("{prefix}{}", if place.name.is_empty() { "reserved" } else { &place.name });
            match place.kind.as_str() {
                "reference" if self.bytes[self.at..self.at + place.size].iter().all(|byte| *byte == 0) => {
                    self.field(place.size, &format!("{name}: nothing"));
                }
                "reference" => {
                    self.layout("### 3.3", &format!("{name}: "));
                }
                kind if kind.starts_with(['u', 'i']) => {
                    let number = self.number(self.at, place.size);
                    self.field(place.size, &format!("{name}: {}", number.cast_signed()));
                    numbers.insert(place.name, number);
                }
                _ => self.field(place.size, &name),
            }
        }
        numbers
    }

    /// Length and number of the varint that stands next.
    fn varint(&self, at: usize) -> (usize, u64) {
        match self.bytes[at] {
            251 => (3, self.number(at + 1, 2)),
            252 => (5, self.number(at + 1, 4)),
            253 => (9, self.number(at + 1, 8)),
            byte => (1, u64::from(byte)),
        }
    }

    /// Explains a value of any type of the metadata encoding (§2.1).
    fn value(&mut self, kind: &str, path: &str) {
        let (length, number) = self.varint(self.at);
        if let Some(element) = kind.strip_prefix("list of ") {
            self.field(length, &format!("{path}: {number} in the list"));
            (0..number).for_each(|index| self.value(element, &format!("{path}[{index}]")));
        } else if let Some(inner) = kind.strip_prefix("optional ") {
            self.field(1, &format!("{path}: {}", if number == 0 { "absent" } else { "present" }));
            if number == 1 {
                self.value(inner, path);
            }
        } else if let Some(pair) = kind.strip_prefix('(') {
            let parts = pair.trim_end_matches(')').split(", ").enumerate();
            parts.for_each(|(index, part)| self.value(part, &format!("{path}.{index}")));
        } else {
            self.scalar(kind, path, length, number);
        }
    }

    fn scalar(&mut self, kind: &str, path: &str, length: usize, number: u64) {
        match kind {
            "u8" | "bool" => self.field(1, &format!("{path}: {}", self.bytes[self.at])),
            "u32" | "u64" => self.field(length, &format!("{path}: {number}")),
            "i64" => {
                let signed = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
                self.field(length, &format!("{path}: {signed}"));
            }
            "f64" => self.field(8, &format!("{path}: {}", f64::from_bits(self.number(self.at, 8)))),
            "digest" => self.field(32, path),
            "string" | "bytes" => {
                let end = length + usize::try_from(number).unwrap();
                let content = String::from_utf8_lossy(&self.bytes[self.at + length..self.at + end]).into_owned();
                self.field(end, &format!("{path}: {content:?}"));
            }
            "Value" => {
                let variants = ["", "i64", "f64", "bytes", "bytes", "bytes"];
                self.field(length, &format!("{path}: value of kind {number}"));
                let variant = variants[usize::try_from(number).unwrap()];
                if !variant.is_empty() {
                    self.value(variant, path);
                }
            }
            "Filter" => {
                self.field(length, &format!("{path}: {}", ["where", "expire"][usize::try_from(number).unwrap()]));
                self.structure(&format!("Filter {number}"), path);
            }
            "Page" => {
                self.field(length, &format!("{path}: {}", ["leaf", "inner"][usize::try_from(number).unwrap()]));
                self.structure(&format!("Page {number}"), path);
            }
            name => self.structure(name, path),
        }
    }

    fn structure(&mut self, name: &str, path: &str) {
        let structures = self.structures;
        let fields = structures.get(name).unwrap_or_else(|| unknown(name));
        for field in fields {
            let dot = if path.is_empty() { "" } else { "." };
            self.value(&field.kind, &format!("{path}{dot}{}", field.name));
        }
    }

    /// A frame of slices (§3.4).
    fn slices(&mut self) {
        let length = self.number(self.at, 4);
        self.field(4, &format!("directory length: {length}"));
        let labels = self.at;
        self.value("Directory", "directory");
        assert_eq!(self.at - labels, usize::try_from(length).unwrap());
        for (what, length) in self.labels(labels) {
            let end = self.at + length;
            match what {
                0 => self.block(),
                1 => self.value("Page", "page"),
                _ => self.value("TableManifest", "table manifest"),
            }
            assert_eq!(self.at, end, "bytes of a slice that the specification does not explain");
        }
    }

    /// `what` and length of each slice: the directory once more, for its numbers.
    fn labels(&self, at: usize) -> Vec<(u64, usize)> {
        let mut at = at;
        let mut next = |width: Option<usize>| {
            let (length, number) = width.map_or_else(|| self.varint(at), |width| (width, self.number(at, width)));
            at += length;
            number
        };
        next(None);
        for _ in 0..next(None) {
            for _ in 0..next(None) {
                next(Some(1));
            }
        }
        let slices = next(None);
        (0..slices)
            .map(|_| {
                next(None);
                let what = next(Some(1));
                // Row group, column, rows.
                (0..3).for_each(|_| {
                    next(None);
                });
                (what, usize::try_from(next(None)).unwrap())
            })
            .collect()
    }

    /// A column block (§6, §7.3).
    fn block(&mut self) {
        self.field(1, &format!("block: encoding {}", self.bytes[self.at]));
        let rows = usize::try_from(self.number(self.at, 4)).unwrap();
        self.field(4, &format!("rows: {rows}"));
        let mixed = self.bytes[self.at] == 1;
        self.field(1, &format!("form: {}", self.bytes[self.at]));
        let kinds = if mixed { self.bytes[self.at..self.at + rows].to_vec() } else { vec![self.bytes[self.at]; rows] };
        self.field(if mixed { rows } else { 1 }, if mixed { "kind of each cell" } else { "kind of all cells" });
        for _ in kinds.iter().filter(|kind| [1, 2].contains(*kind)) {
            self.field(8, &format!("fixed payload: {}", self.number(self.at, 8).cast_signed()));
        }
        let lengths: Vec<usize> = kinds
            .iter()
            .filter(|kind| **kind >= 3)
            .map(|_| {
                let length = self.number(self.at, 4);
                self.field(4, &format!("length: {length}"));
                usize::try_from(length).unwrap()
            })
            .collect();
        for length in lengths {
            let content = String::from_utf8_lossy(&self.bytes[self.at..self.at + length]).into_owned();
            self.field(length, &format!("variable payload: {content:?}"));
        }
    }
}

#[expect(clippy::panic, reason = "tests")]
fn unknown(name: &str) -> &'static Vec<Field> {
    panic!("the specification does not list the fields of {name}")
}
