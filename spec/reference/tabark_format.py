"""What spec/format.md lays down of bytes: constants, structures in metadata encoding, frame headers, commits, cells."""

import struct
from types import SimpleNamespace
from typing import NamedTuple, Optional

from blake3 import blake3

# §2.2 Constants and limits
FORMAT_VERSION = 1
HEADER_LENGTH = 64
FRAME_HEADER_LENGTH = 104
COMMIT_BODY_LENGTH = 256
COMMIT_FRAME_LENGTH = 360
REFERENCE_LENGTH = 48
HISTORY_PAGE_ENTRIES = 64
MAX_METADATA_BODY = 67108864
MAX_DATA_BODY = 4294967295
MAX_GROUP_ROWS = 131072
MIN_GROUP_ROWS = 32768
MAX_GROUP_BYTES = 67108864
GROUP_BOUNDARY_BITS = 15
MAX_PAGE_ENTRIES = 64
MAX_PAGE_DEPTH = 8
MAX_COLUMNS = 65535
MAX_TABLES = 1048576
MAX_NAME_BYTES = 65535
MAX_BOUND_BYTES = 64
# Not in the specification: the window that Zstandard decoders allow by default.
MAX_WINDOW_BYTES = 1 << 27
U64 = (1 << 64) - 1

ARCHIVE_MAGIC = bytes.fromhex("8954424B0D0A1A0A")
FRAME_MAGIC = bytes.fromhex("54424B46")
DATA, TABLE_METADATA, CATALOG, MANIFEST, COMMIT, HISTORY = range(1, 7)
KIND_NAMES = {
    DATA: "data",
    TABLE_METADATA: "table metadata",
    CATALOG: "catalog",
    MANIFEST: "snapshot manifest",
    COMMIT: "commit",
    HISTORY: "history page",
}
BODY_LIMITS = {kind: MAX_METADATA_BODY for kind in KIND_NAMES} | {DATA: MAX_DATA_BODY}
FLAG_COMPRESSED, FLAG_ENCRYPTED, FLAG_OPTIONAL = 1, 2, 1 << 15
KNOWN_KIND_VERSION = 1
BLOCK, PAGE, TABLE_MANIFEST = 0, 1, 2
NULL, INTEGER, REAL, TEXT, BYTES, RAW_TEXT = range(6)
PLAIN = 0

LAYERS = (
    "header",
    "frame",
    "commit",
    "reference",
    "metadata",
    "directory",
    "manifest",
    "page",
    "block",
    "cells",
    "content",
    "fingerprint",
    "order",
    "boundaries",
    "totals",
    "unsupported",
    "tail",
)


class Fault(Exception):
    """Something in the archive that a reader must refuse: which layer refuses it, and where it lies."""

    def __init__(self, layer, offset, text):
        assert layer in LAYERS
        super().__init__(text)
        self.layer, self.offset, self.text = layer, offset, text

    def __str__(self):
        return f"{self.layer} at byte {self.offset}: {self.text}"


def require(condition, layer, offset, text):
    if not condition:
        raise Fault(layer, offset, text)


def digest_of(data):
    return blake3(data).digest()


def derive(context, *parts):
    hasher = blake3(derive_key_context=context)
    for part in parts:
        hasher.update(part)
    return hasher.digest()


# §2.1 Metadata encoding: types are names of primitives or structures, or one of these four shapes.
class List(NamedTuple):
    of: object
    at_most: Optional[int] = None
    at_least: int = 0


class Maybe(NamedTuple):
    of: object


class Pair(NamedTuple):
    first: object
    second: object


class OneOf(NamedTuple):
    alternatives: tuple


SETTINGS = List(Pair("name", "string"))
KEY = List("Bound", MAX_COLUMNS)
STRUCTURES = {
    # §3.3, §3.4
    "Reference": (("offset", "u64"), ("length", "u64"), ("digest", "digest")),
    "SliceReference": (("frame", "Reference"), ("start", "u64"), ("length", "u64")),
    "Directory": (("snapshot", "u64"), ("tables", List("name", MAX_TABLES)), ("slices", List("Label"))),
    "Label": (
        ("table", "u32"),
        ("what", "u8"),
        ("group", "u64"),
        ("column", "u32"),
        ("rows", "u64"),
        ("length", "u64"),
    ),
    # §4.2 to §4.4
    "SnapshotManifest": (
        ("number", "u64"),
        ("time", "i64"),
        ("tags", SETTINGS),
        ("source", "Source"),
        ("writer", "string"),
        ("catalog", "Reference"),
        ("tables", "u64"),
        ("rows", "u64"),
        ("logical_bytes", "u64"),
        ("fingerprint", "digest"),
        ("omitted", List("Omission")),
    ),
    "Source": (("engine", "string"), ("engine_version", "string"), ("name", "string"), ("settings", SETTINGS)),
    "Omission": (("what", "string"), ("reason", "string")),
    "Catalog": (("tables", List("TableEntry", MAX_TABLES)), ("objects", List("SchemaObject"))),
    "TableEntry": (("name", "name"), ("manifest", "SliceReference"), ("rows", "u64"), ("fingerprint", "digest")),
    "SchemaObject": (
        ("kind", "string"),
        ("name", "string"),
        ("table", "string"),
        ("definition", "string"),
        ("position", "u64"),
    ),
    "HistoryPage": (
        ("previous", Maybe("Reference")),
        ("covered", "u64"),
        ("entries", List("HistoryEntry", HISTORY_PAGE_ENTRIES, 1)),
    ),
    "HistoryEntry": (
        ("number", "u64"),
        ("time", "i64"),
        ("tags", SETTINGS),
        ("tables", "u64"),
        ("rows", "u64"),
        ("bytes_added", "u64"),
        ("manifest", "Reference"),
    ),
    # §5.1
    "TableManifest": (
        ("schema", "TableSchema"),
        ("rows", "u64"),
        ("logical_bytes", "u64"),
        ("stored_bytes", "u64"),
        ("columns", List("ColumnSummary", MAX_COLUMNS)),
        ("page_depth", "u32"),
        ("pages", List("PageEntry", MAX_PAGE_ENTRIES)),
        ("fingerprint", "digest"),
    ),
    "TableSchema": (
        ("name", "name"),
        ("role", "string"),
        ("definition", "string"),
        ("position", "u64"),
        ("columns", List("Column", MAX_COLUMNS)),
        ("generated", List("name", MAX_COLUMNS)),
        ("key", List("KeyPart", MAX_COLUMNS)),
        ("options", SETTINGS),
        ("attached", List("SchemaObject")),
    ),
    "Column": (
        ("name", "name"),
        ("declared_type", "string"),
        ("logical", "u8"),
        ("nullable", "bool"),
        ("hidden", "bool"),
    ),
    "KeyPart": (("column", "u32"), ("descending", "bool"), ("collation", "string")),
    "ColumnSummary": (
        ("logical_bytes", "u64"),
        ("stored_bytes", "u64"),
        ("nulls", "u64"),
        ("minimum", Maybe("Bound")),
        ("maximum", Maybe("Bound")),
        ("encodings", List(Pair("u8", "u64"), 256)),
        ("fingerprint", "digest"),
    ),
    # §5.2, §5.3
    "PageEntry": (
        ("page", "SliceReference"),
        ("groups", "u64"),
        ("rows", "u64"),
        ("first_key", KEY),
        ("last_key", KEY),
    ),
    "Page": OneOf(("LeafPage", "InnerPage")),
    "LeafPage": (("frames", List("Reference")), ("groups", List("RowGroup", MAX_PAGE_ENTRIES, 1))),
    "InnerPage": (("children", List("PageEntry", MAX_PAGE_ENTRIES, 1)),),
    "RowGroup": (("rows", "u64"), ("first_key", KEY), ("last_key", KEY), ("blocks", List("BlockEntry", MAX_COLUMNS))),
    "BlockEntry": (
        ("frame", "u32"),
        ("start", "u64"),
        ("length", "u64"),
        ("encoding", "u8"),
        ("logical_bytes", "u64"),
        ("nulls", "u64"),
        ("minimum", Maybe("Bound")),
        ("maximum", Maybe("Bound")),
        ("content", "digest"),
    ),
    "Bound": (("value", "Value"), ("exact", "bool")),
    "Value": OneOf((None, "i64", "f64", "held", "held", "held")),
}


class Cursor:
    """Reads one structure from bytes that come from one place, and knows where in the file each byte lies."""

    def __init__(self, data, locate, start=0, end=None):
        self.data, self.locate, self.position = data, locate, start
        self.end = len(data) if end is None else end

    def fault(self, text, at=None):
        return Fault("metadata", self.locate(self.position if at is None else at), text)

    def take(self, count):
        if count > self.end - self.position:
            raise self.fault(f"{count} bytes needed, {self.end - self.position} left")
        self.position += count
        return self.data[self.position - count : self.position]

    def varint(self, maximum=U64):
        at = self.position
        first = self.take(1)[0]
        if first < 251:
            return first
        if first > 253:
            raise self.fault(f"a varint begins with {first}", at)
        size = 2 << (first - 251)
        value = int.from_bytes(self.take(size), "little")
        if value < 251 or (size > 2 and value >> (size * 4) == 0):
            raise self.fault("a varint is longer than necessary", at)
        if value > maximum:
            raise self.fault(f"{value} exceeds the type's {maximum}", at)
        return value

    def small(self, maximum):
        value = self.take(1)[0]
        if value > maximum:
            raise self.fault(f"the byte {value} where at most {maximum} may stand", self.position - 1)
        return value

    def string_of_bytes(self, limit=None):
        at = self.position
        count = self.varint()
        if limit is not None and count > limit:
            raise self.fault(f"{count} bytes where at most {limit} may stand", at)
        return self.take(count)

    def text(self, limit=None):
        at = self.position
        try:
            return bytes(self.string_of_bytes(limit)).decode("utf-8")
        except UnicodeDecodeError:
            raise self.fault("a string is not UTF-8", at) from None

    def signed(self):
        value = self.varint()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    def finish(self):
        if self.position != self.end:
            raise self.fault(f"{self.end - self.position} bytes are left over")


PRIMITIVES = {
    "u8": lambda cursor: cursor.take(1)[0],
    "bool": lambda cursor: bool(cursor.small(1)),
    "u32": lambda cursor: cursor.varint(0xFFFFFFFF),
    "u64": Cursor.varint,
    "i64": Cursor.signed,
    "f64": lambda cursor: int.from_bytes(cursor.take(8), "little"),
    "digest": lambda cursor: bytes(cursor.take(32)),
    "string": Cursor.text,
    "name": lambda cursor: cursor.text(MAX_NAME_BYTES),
    "bytes": lambda cursor: bytes(cursor.string_of_bytes()),
    "held": lambda cursor: bytes(cursor.string_of_bytes(MAX_BOUND_BYTES)),
}


def decode(cursor, shape):
    if shape in PRIMITIVES:
        return PRIMITIVES[shape](cursor)
    if isinstance(shape, List):
        at = cursor.position
        count = cursor.varint()
        if shape.at_most is not None and count > shape.at_most or count < shape.at_least:
            raise cursor.fault(f"{count} elements where {shape.at_least} to {shape.at_most} may stand", at)
        # Every element takes a byte or more, so that a count alone cannot make a reader allocate.
        if count > cursor.end - cursor.position:
            raise cursor.fault(f"{count} elements cannot stand in {cursor.end - cursor.position} bytes", at)
        return [decode(cursor, shape.of) for _ in range(count)]
    if isinstance(shape, Maybe):
        return decode(cursor, shape.of) if cursor.small(1) else None
    if isinstance(shape, Pair):
        return decode(cursor, shape.first), decode(cursor, shape.second)
    structure = STRUCTURES[shape]
    if isinstance(structure, OneOf):
        at = cursor.position
        number = cursor.varint()
        if number >= len(structure.alternatives):
            raise cursor.fault(f"unknown alternative {number} of {shape}", at)
        alternative = structure.alternatives[number]
        return number, None if alternative is None else decode(cursor, alternative)
    at = cursor.position
    result = SimpleNamespace(**{name: decode(cursor, field) for name, field in structure})
    if shape == "Bound" and not result.exact:
        kind, value = result.value
        if kind < TEXT or len(value) != MAX_BOUND_BYTES:
            raise cursor.fault("a bound is inexact, but its value is whole", at)
    return result


def decode_whole(body, shape, start=0, end=None):
    cursor = Cursor(body.raw, body.locate, start, end)
    result = decode(cursor, shape)
    cursor.finish()
    return result


def check_pairs(pairs, what, layer, offset):
    keys = [key.encode() for key, _ in pairs]
    require(all(keys), layer, offset, f"an empty key among the {what}")
    require(all(a < b for a, b in zip(keys, keys[1:])), layer, offset, f"the {what} are not sorted or not unique")


# §3.2
class FrameHeader(NamedTuple):
    offset: int
    kind: int
    version: int
    flags: int
    tag: bytes
    base: int
    stored: int
    raw: int
    body_digest: bytes
    digest: bytes

    @property
    def length(self):
        return FRAME_HEADER_LENGTH + self.stored

    @property
    def end(self):
        return self.offset + self.length

    @property
    def compressed(self):
        return bool(self.flags & FLAG_COMPRESSED)


class Body(NamedTuple):
    header: FrameHeader
    raw: bytes

    def locate(self, position):
        """The place in the file of a raw byte; of a compressed body only the frame's place is known."""
        return self.header.offset + (0 if self.header.compressed else FRAME_HEADER_LENGTH + position)

    def slices_start(self):
        require(len(self.raw) >= 4, "directory", self.header.offset, "no room for a directory's length")
        length = int.from_bytes(self.raw[:4], "little")
        require(length <= len(self.raw) - 4, "directory", self.locate(0), "the directory is longer than the body")
        return 4 + length


# §4.1
class Commit(NamedTuple):
    header: FrameHeader
    number: int
    time: int
    offset: int
    reader_features: int
    writer_features: int
    tables: int
    rows: int
    bytes_added: int
    manifest: Optional[SimpleNamespace]
    previous: Optional[SimpleNamespace]
    history: Optional[SimpleNamespace]
    snapshots: int
    reserved: bytes


def fixed_reference(data):
    if not any(data):
        return None
    offset, length, digest = struct.unpack("<QQ32s", data)
    return SimpleNamespace(offset=offset, length=length, digest=digest)


# §7.1, §7.3: a cell is (kind, payload): None, an integer, the bits of a real, or bytes.
def decode_canonical(data, rows, at):
    require(len(data) >= 6, "cells", at, "a canonical form is cut off")
    count, form = struct.unpack_from("<IB", data)
    require(count == rows, "block", at, f"a block has {count} rows, its row group {rows}")
    require(form <= 1, "cells", at, f"unknown form {form}")
    kinds = data[5 : 5 + count] if form else data[5:6] * count
    require(len(kinds) == count, "cells", at, "the kinds are cut off")
    require(max(kinds) <= RAW_TEXT, "cells", at, f"unknown kind {max(kinds)}")
    require(not form or len(set(kinds)) > 1, "cells", at, "form 1 with cells of one kind only")
    position = 5 + (count if form else 1)
    fixed = sum(kind in (INTEGER, REAL) for kind in kinds)
    variable = sum(kind >= TEXT for kind in kinds)
    require(position + 8 * fixed + 4 * variable <= len(data), "cells", at, "payloads or lengths are cut off")
    words = iter(struct.unpack_from(f"<{fixed}Q", data, position))
    lengths = struct.unpack_from(f"<{variable}I", data, position + 8 * fixed)
    position += 8 * fixed + 4 * variable
    require(position + sum(lengths) == len(data), "cells", at, "the variable payloads do not fit their lengths")
    lengths = iter(lengths)
    cells = []
    for kind in kinds:
        payload = None
        if kind == INTEGER:
            payload = next(words)
            payload -= (payload >> 63) << 64
        elif kind == REAL:
            payload = next(words)
        elif kind >= TEXT:
            length = next(lengths)
            payload = data[position : position + length]
            position += length
            if kind == TEXT:
                try:
                    payload.decode("utf-8")
                except UnicodeDecodeError:
                    raise Fault("cells", at, "a text is not UTF-8") from None
        cells.append((kind, payload))
    return cells
