#!/usr/bin/env python3
"""A reader of tabark archives, written from spec/format.md alone and in its order. It favours plainness over speed.
Cells (§7) are in tabark_cells.py, encodings of blocks (§6) in tabark_encodings.py, row groups in tabark_layers.py.
Exit codes: 0 ok, 1 the operation failed, 2 usage, 3 damaged or not an archive, 4 unsupported."""

import argparse
import contextlib
import functools
import json
import pathlib
import struct
import sys
from collections import Counter, namedtuple

import zstandard
from blake3 import blake3

from tabark_cells import (
    BYTES,
    INTEGER,
    LOGICAL,
    MAX_GROUP_BYTES,
    MAX_GROUP_ROWS,
    NULL,
    RAW_TEXT,
    REAL,
    TEXT,
    U64,
    Fault,
    require,
    row_bytes,
    text_of,
)
from tabark_layers import check_group, column_of, places_of, slices_of

# §2.2 Constants and limits; the limits of lists stand with the structures.
HEADER_LENGTH, FRAME_HEADER_LENGTH, COMMIT_BODY_LENGTH, HISTORY_PAGE_ENTRIES = 64, 104, 256, 64
MAX_METADATA_BODY, MAX_DATA_BODY, MAX_WINDOW_BYTES, U32 = 67108864, 4294967295, 1 << 27, 2**32 - 1
MIN_GROUP_ROWS, GROUP_BOUNDARY_BITS = 32768, 15
MAX_PAGE_DEPTH, MAX_NAME_BYTES, MAX_BOUND_BYTES, MAX_TAG_BYTES = 8, 65535, 64, 65536

ARCHIVE_MAGIC, FRAME_MAGIC = bytes.fromhex("8954424B0D0A1A0A"), b"TBKF"
DATA, TABLE_METADATA, CATALOG, MANIFEST, COMMIT, HISTORY, ERASURES = KINDS = (1, 2, 3, 4, 5, 6, 9)
COMPRESSED, ENCRYPTED, OPTIONAL = 1, 2, 1 << 15
BLOCK, PAGE, TABLE_MANIFEST, PATCH, PLACES = range(5)

# §2.1 The structures, as the specification lists their fields. "name" is a string and "held" is bytes, both of limited
# length; a list may name its least and greatest length; a pair (A, B) is a structure of two fields.
STRUCTURES = {
    "Reference": "offset u64, length u64, digest digest",
    "SliceReference": "frame Reference, start u64, length u64",
    "Directory": "snapshot u64, tables list of name 0 262144, slices list of Label",
    "Label": "table u32, what u8, group u64, column u32, rows u64, length u64",
    "Tag": "key name, value string",
    "SnapshotManifest": "number u64, time i64, tags list of Tag, source Source, writer string, catalog Reference, "
    "tables u64, rows u64, logical_bytes u64, fingerprint digest, omitted list of Omission",
    "Source": "engine string, engine_version string, name string, settings list of Tag",
    "Omission": "what string, reason string",
    "Catalog": "tables list of TableEntry 0 262144, objects list of SchemaObject",
    "TableEntry": "name name, manifest SliceReference, rows u64, fingerprint digest",
    "SchemaObject": "kind string, name string, table string, definition string, position u64",
    "HistoryPage": "previous optional Reference, covered u64, entries list of HistoryEntry 64 64",
    "HistoryEntry": "number u64, time i64, tags list of Tag, tables u64, rows u64, bytes_added u64, manifest Reference",
    "ErasureRecords": "records list of ErasureRecord",
    "ErasureRecord": "time i64, table name, columns list of name, rows u64, others list of TableRows, snapshots u64, "
    "reason string, salt digest, keys list of digest, roots list of RootChange",
    "TableRows": "table name, rows u64",
    "RootChange": "number u64, before digest, after digest",
    "TableManifest": "schema TableSchema, filters list of Filter, rows u64, logical_bytes u64, stored_bytes u64, "
    "columns list of ColumnSummary, page_depth u32, pages list of PageEntry 0 64, fingerprint digest",
    "WhereFilter": "expression string",
    "ExpireFilter": "column string, age u64, instant i64",
    "TableSchema": "name name, role string, definition string, position u64, columns list of Column 0 65535, "
    "generated list of name, key list of KeyPart, options list of Tag, attached list of SchemaObject",
    "Column": "name name, declared_type string, logical u8, nullable bool, hidden bool",
    "KeyPart": "column u32, descending bool, collation string",
    "ColumnSummary": "logical_bytes u64, stored_bytes u64, nulls u64, minimum optional Bound, maximum optional Bound, "
    "encodings list of EncodingCount, fingerprint digest",
    "EncodingCount": "encoding u8, blocks u64",
    "PageEntry": "page SliceReference, groups u64, rows u64, first_key list of Bound, last_key list of Bound",
    "LeafPage": "frames list of Reference, groups list of RowGroup 1 64",
    "InnerPage": "children list of PageEntry 1 64",
    "RowGroup": "rows u64, first_key list of Bound, last_key list of Bound, layers list of Layer 0 64, "
    "blocks list of BlockEntry",
    "Layer": "rows u64, deleted u64, inserted u64, places optional Slice",
    "Slice": "frame u32, start u64, length u64",
    "BlockEntry": "pieces list of Piece, logical_bytes u64, nulls u64, "
    "minimum optional Bound, maximum optional Bound, content digest",
    "Piece": "layer u32, rows u64, slice Slice, encoding u8, logical_bytes u64",
    "Bound": "value Value, exact bool",
}
ALTERNATIVES = {
    "Page": ("LeafPage", "InnerPage"),
    "Filter": ("WhereFilter", "ExpireFilter"),
    "Value": (None, "i64", "f64", "held", "held", "held"),
}
# Lists of these ascend by their first field.
SORTED = ("Tag", "TableEntry", "HistoryEntry", "EncodingCount", "TableRows", "RootChange")
FIELDS = {name: [field.split(" ", 1) for field in text.split(", ")] for name, text in STRUCTURES.items()}
TYPES = {name: namedtuple(name, [field for field, _ in fields]) for name, fields in FIELDS.items()}
FrameHeader = namedtuple("FrameHeader", "offset kind version flags tag base stored raw body digest length end known")
COMMIT_FIELDS = "number time offset reader_features writer_features tables rows bytes_added manifest previous history"
Commit = namedtuple("Commit", f"header {COMMIT_FIELDS} snapshots erasures erasures_digest")


def decode(data, structure, offset):
    """§2.1: the structure that bytes in the frame at an offset hold in metadata encoding."""
    position = 0

    def check(condition, text, layer="metadata"):
        require(condition, layer, offset, text)

    def take(count):
        nonlocal position
        check(count <= len(data) - position, "input ends too early")
        position += count
        return data[position - count : position]

    def varint(maximum=U64):
        value = take(1)[0]
        if value >= 251:
            check(value <= 253, "a varint begins with 254 or 255")
            size = 2 << value - 251
            value = int.from_bytes(take(size), "little")
            check(value >= 251 and (size == 2 or value >> size * 4), "a varint is longer than necessary")
        check(value <= maximum, f"{value} where at most {maximum} may stand")
        return value

    def elements(kind, least=0, most=U64):
        count = varint(int(most))
        # Each element takes a byte or more, so that a count alone cannot make a reader allocate.
        check(int(least) <= count <= len(data) - position, f"a list of {count} elements")
        values = [read(kind) for _ in range(count)]
        keys = [value[0] for value in values] if kind in SORTED else []
        ascend = all(a < b for a, b in zip(keys, keys[1:])) and (kind != "Tag" or "" not in keys)
        check(ascend, f"a list of {kind} does not ascend or has an empty key", "manifest")
        return values

    scalars = {
        "u8": lambda: take(1)[0],
        "bool": lambda: bool(varint(1)),
        "u32": lambda: varint(U32),
        "u64": varint,
        "i64": lambda: (value := varint()) >> 1 ^ -(value & 1),
        "f64": lambda: int.from_bytes(take(8), "little"),  # its bits
        "digest": lambda: take(32),
        "string": lambda: text_of(take(varint()), "metadata", offset),
        "name": lambda: text_of(take(varint(MAX_NAME_BYTES)), "metadata", offset),
        "held": lambda: take(varint(MAX_BOUND_BYTES)),
    }

    def read(kind):
        if kind in scalars:
            return scalars[kind]()
        if kind.startswith("list of "):
            return elements(*kind.split()[2:])
        if kind.startswith("optional "):
            return read(kind.removeprefix("optional ")) if varint(1) else None
        if kind in ALTERNATIVES:  # the number of the alternative and its value
            number = varint(len(ALTERNATIVES[kind]) - 1)
            return number, ALTERNATIVES[kind][number] and read(ALTERNATIVES[kind][number])
        value = TYPES[kind](*[read(field) for _, field in FIELDS[kind]])
        if kind == "Bound":  # §5.3
            long = value.value[0] >= TEXT and len(value.value[1]) == MAX_BOUND_BYTES
            check(value.exact or long, "a bound is inexact, but its value is whole")
        if kind in ("BlockEntry", "ColumnSummary"):  # §5.3
            kinds = [bound and bound.value[0] for bound in (value.minimum, value.maximum)]
            check(kinds.count(None) != 1 and NULL not in kinds, "a bound without the other, or of null")
        size = sum(len(text.encode()) for tag in getattr(value, "tags", ()) for text in tag)
        check(size <= MAX_TAG_BYTES, "too many bytes of tags")
        return value

    result = read(structure)
    check(position == len(data), "bytes are left over")
    return result


class Archive:
    """An opened archive: its header and its last commit are checked (§10). A method that follows a reference is given
    the header of the frame that holds it, and returns that of the frame it leads to."""

    chain = None  # the offsets where frames begin, once verification has walked all of them

    def __init__(self, path):
        self.file = pathlib.Path(path).read_bytes()
        header = self.file[:HEADER_LENGTH]  # §3.1
        require(header[:8] == ARCHIVE_MAGIC, "header", 0, "not a tabark archive")
        require(blake3(header[:32]).digest() == header[32:], "header", 0, "damaged: the header's digest is wrong")
        version = int.from_bytes(header[8:12], "little")
        require(version == 2, "unsupported", 0, f"format version {version}, this program reads 2")
        require(not any(header[12:16]), "header", 0, "damaged: reserved bytes are not zero")
        self.last = self.find_last_commit()
        require(not self.last.reader_features, "unsupported", self.last.offset, "unknown reader features")
        next(self.commits())

    def frame_header(self, offset):  # §3.2: what every frame must have, of whatever kind
        data = self.file[offset : offset + FRAME_HEADER_LENGTH]
        sound = data[:4] == FRAME_MAGIC and blake3(data[:72]).digest() == data[72:]
        require(sound and data[8:16] == self.file[16:24], "frame", offset, "no sound frame header of this archive")
        fields = struct.unpack("<4xBBH8sQQQ32s32s", data)
        length, known = FRAME_HEADER_LENGTH + fields[5], fields[0] in KINDS and fields[1] == 1
        require(offset + length <= U64, "frame", offset, "a frame's end exceeds 2^64")
        return FrameHeader(offset, *fields, length, offset + length, known)

    def check_frame(self, header):  # §3.2: the lengths of an encrypted frame may be any
        at, compressed = header.offset, header.flags & COMPRESSED
        stored = self.file[at + FRAME_HEADER_LENGTH : header.end]
        require(blake3(stored).digest() == header.body, "frame", at, "a body's digest is wrong")
        sound = header.version and not header.flags & ~(COMPRESSED | ENCRYPTED | OPTIONAL)
        require(sound, "frame", at, "reserved flags are set, or the kind version is 0")
        require(not header.flags & ENCRYPTED, "unsupported", at, "an encrypted frame")
        fits = header.stored < header.raw if compressed else header.stored == header.raw
        require(fits, "frame", at, "stored and raw lengths do not fit the flags")
        limit = MAX_DATA_BODY if header.kind == DATA else MAX_METADATA_BODY
        require(header.raw <= limit or not header.known, "frame", at, "a body exceeds its limit")

    @functools.lru_cache(4)
    def body(self, header):  # §3.2: the raw body of a frame that has been followed to
        at, stored = header.offset, self.file[header.offset + FRAME_HEADER_LENGTH : header.end]
        if not header.flags & COMPRESSED:
            return stored
        try:
            frame = zstandard.get_frame_parameters(stored)
            # The decompressor believes the size that stands there, so that it is checked before anything is allocated.
            sound = stored[:4] == zstandard.FRAME_HEADER and frame.window_size <= MAX_WINDOW_BYTES and not frame.dict_id
            sound = sound and frame.content_size in (zstandard.CONTENTSIZE_UNKNOWN, header.raw)
            require(sound, "frame", at, "not a Zstandard frame of the raw length that may stand here")
            raw = zstandard.ZstdDecompressor().decompress(stored, max_output_size=header.raw, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise Fault("frame", at, f"a body does not decompress: {error}") from None
        require(len(raw) == header.raw, "frame", at, "a body has another length than the raw one")
        return raw

    def follow(self, reference, holder, kind):  # §3.3: the header of the frame that a reference leads to
        at, text = holder.offset, f"a reference leads to byte {reference.offset}, "
        before = HEADER_LENGTH <= reference.offset and reference.offset + reference.length <= at
        on_chain = self.chain is None or reference.offset in self.chain
        require(before and on_chain, "reference", at, text + "off the chain or not before the frame that holds it")
        header = self.frame_header(reference.offset)
        same = (header.digest, header.length) == (reference.digest, reference.length)
        same = same and (header.kind == kind or header.kind not in KINDS)
        require(same, "reference", at, text + "to another frame or another kind of frame")
        self.check_frame(header)
        require(header.known, "unsupported", header.offset, f"kind {header.kind} version {header.version}")
        return header

    def structure(self, reference, holder, kind, structure):
        header = self.follow(reference, holder, kind)
        return header, decode(self.body(header), structure, header.offset)

    def slices_start(self, header):  # §3.4: where slices begin in the raw body of a frame, behind the directory
        start = 4 + int.from_bytes(self.body(header)[:4], "little")
        require(start <= len(self.body(header)), "directory", header.offset, "the directory is longer than the body")
        return start

    def slice(self, reference, holder, structure):  # §3.4
        header = self.follow(reference.frame, holder, TABLE_METADATA)
        body, end = self.body(header), reference.start + reference.length
        inside = self.slices_start(header) <= reference.start and end <= len(body)
        require(inside, "reference", holder.offset, "a slice does not lie behind the directory and inside the body")
        return header, decode(body[reference.start : end], structure, header.offset)

    def commit_of(self, header):  # §4.1: the commit of a frame, or None where it is not valid
        body = self.file[header.offset + FRAME_HEADER_LENGTH : header.end]
        form = (header.kind, header.version, header.flags, header.stored, header.body)
        if form != (COMMIT, 1, 0, COMMIT_BODY_LENGTH, blake3(body).digest()):
            return None
        fields = list(struct.unpack("<QqQQQQQQ48s48s48sQQ32s", body))
        for index in (8, 9, 10):  # 48 zero bytes refer to nothing
            fields[index] = any(fields[index]) and TYPES["Reference"](*struct.unpack("<QQ32s", fields[index])) or None
        commit = Commit(header, *fields)
        return commit if commit.offset == header.offset else None

    def find_last_commit(self):  # §4.1: the valid one with the highest offset, whatever else looks like a frame
        offset, commit, newer = len(self.file), None, False
        while not commit and (offset := self.file.rfind(FRAME_MAGIC, HEADER_LENGTH, offset + 3)) >= 0:
            with contextlib.suppress(Fault):
                commit = self.commit_of(self.frame_header(offset))
        header = commit and commit.header
        with contextlib.suppress(Fault):  # a commit of a higher version is looked for along the tail, not inside cells
            while not newer:
                header = self.frame_header(header.end if header else HEADER_LENGTH)
                newer = header.kind == COMMIT and header.version > 1
        require(not newer, "unsupported", len(self.file), "a commit of a higher version follows")
        require(commit, "commit", len(self.file), "the file holds no complete snapshot")
        return commit

    def commits(self):  # §4.1: newest first, each checked before it is given, then against its previous one
        commit = self.last
        while commit:
            at, before, end_before = commit.offset, None, 0
            self.check_frame(commit.header)
            sound = commit.number >= commit.snapshots >= 1 and commit.manifest
            require(sound, "commit", at, "numbers that cannot be, or no manifest")
            base = commit.previous.offset if commit.previous else 0
            fits = (commit.snapshots == 1) != bool(commit.previous) and commit.header.base == base
            require(fits, "commit", at, "the previous commit fits neither the count of snapshots nor the base")
            yield commit
            if commit.previous:
                header = self.follow(commit.previous, commit.header, COMMIT)
                before, end_before = self.commit_of(header), header.end
                require(before, "commit", header.offset, "not a valid commit")
                follows = before.number < commit.number and before.snapshots + 1 == commit.snapshots
                follows = follows and not any(old & ~new for old, new in zip(before[4:6], commit[4:6]))
                require(follows, "commit", at, "number, count or features do not follow from the previous commit's")
                old, new = ((one.erasures, one.erasures_digest) for one in (before, commit))
                kept = old in ((0, bytes(32)), new) or old[0] < new[0]
                require(kept, "commit", at, "the erasure records of the previous commit are missing")
            require(commit.bytes_added == commit.header.end - end_before, "commit", at, "bytes added are wrong")
            commit = before

    def erasures(self, commit):  # §4.5: the records that a commit has
        if not commit.erasures and not any(commit.erasures_digest):
            return []
        at, text = commit.offset, "erasure records that are no frame of the chain"
        require(self.chain is None or commit.erasures in self.chain, "reference", at, text)
        length = self.frame_header(commit.erasures).length
        reference = TYPES["Reference"](commit.erasures, length, commit.erasures_digest)
        header, found = self.structure(reference, commit.header, ERASURES, "ErasureRecords")
        salts = {record.salt for record in found.records}
        sound = 0 < len(found.records) == len(salts)
        for one in found.records:
            sound = sound and one.columns and one.keys and one.rows and 1 <= one.snapshots <= len(one.roots)
            sound = sound and all(other.rows and other.table != one.table for other in one.others)
            sound = sound and all(a < b for a, b in zip(one.keys, one.keys[1:]))
        require(sound, "manifest", header.offset, "erasure records that are none, or that cannot be")
        return found.records

    def snapshot(self, commit):  # §4.2, §4.3: its manifest, and the catalog behind its frame header
        header, manifest = self.structure(commit.manifest, commit.header, MANIFEST, "SnapshotManifest")
        at, totals = header.offset, (manifest.tables, manifest.rows)
        require(manifest[:2] == commit[1:3], "manifest", at, "number or time differ from the commit's")
        require(totals == (commit.tables, commit.rows), "totals", at, "the commit has other totals")
        catalog_header, catalog = self.structure(manifest.catalog, header, CATALOG, "Catalog")
        found = (len(catalog.tables), sum(entry.rows for entry in catalog.tables))
        require(totals == found, "totals", at, "the catalog has other totals")
        parts = [hashed_string(entry.name) + entry.fingerprint for entry in catalog.tables]
        found = derive("snapshot fingerprint", struct.pack("<I", len(parts)), *parts)
        require(manifest.fingerprint == found, "fingerprint", at, "the fingerprint of the snapshot is wrong")
        return manifest, catalog_header, catalog

    def table_manifest(self, entry, holder):  # §5.1, §7.4
        header, manifest = self.slice(entry.manifest, holder, "TableManifest")
        at, schema, columns = header.offset, manifest.schema, manifest.columns
        names = [column.name for column in schema.columns]
        require(schema.name == entry.name, "manifest", at, "the catalog gives the table another name")
        require(schema.role in ("table", "shadow", "internal"), "manifest", at, f"unknown role {schema.role!r}")
        sound = len(set(names)) == len(names) == len(columns) and all(part.column < len(names) for part in schema.key)
        sound = sound and not any(column.hidden for column in schema.columns[1:])
        require(sound, "manifest", at, "names, hidden columns, key parts or summaries do not fit the columns")
        fits = all(number == 0 or rule.column in names for number, rule in manifest.filters)
        require(fits and (schema.role == "table" or not manifest.filters), "manifest", at, "filters do not fit")
        require(manifest.page_depth <= MAX_PAGE_DEPTH, "manifest", at, "too many levels of pages")
        require(bool(manifest.pages) == bool(manifest.rows), "manifest", at, "pages do not fit the number of rows")
        known = all(column.logical in LOGICAL for column in schema.columns)
        require(known, "unsupported", at, "an unknown logical type")
        require(entry.rows == manifest.rows, "totals", holder.offset, "the catalog has other rows than the table")
        for name, parts in (("rows", manifest.pages), ("logical_bytes", columns)):
            same = getattr(manifest, name) == sum(getattr(part, name) for part in parts)
            require(same, "totals", at, f"the {name} of a table are wrong")
        parts = [hashed_string(a.name) + bytes([a.hidden]) + b.fingerprint for a, b in zip(schema.columns, columns)]
        fingerprint = derive("table fingerprint", struct.pack("<QI", manifest.rows, len(parts)), *parts)
        same = entry.fingerprint == manifest.fingerprint == fingerprint
        require(same, "fingerprint", at, "the fingerprint of a table is wrong, or another in the catalog")
        return header, manifest

    def pages(self, entries, holder, depth, columns, seen):  # §5.2: parents first
        for entry in entries:
            place = (entry.page.frame.offset, entry.page.start)
            # So that a small file cannot make a walk endless.
            require(place not in seen, "page", holder.offset, "a page is referred to twice below one manifest")
            seen.add(place)
            header, page = self.page(entry, holder, depth, columns)
            yield depth, entry, header, page
            yield from self.pages(page.children if depth else [], header, depth - 1, columns, seen)

    def page(self, entry, holder, depth, columns):  # §5.2
        header, (alternative, page) = self.slice(entry.page, holder, "Page")
        at, parts = header.offset, page[-1]  # children or row groups
        require(alternative == (depth > 0), "page", at, "a leaf where an inner page belongs, or the reverse")
        groups = sum(child.groups for child in parts) if depth else len(parts)
        totals = (groups, sum(part.rows for part in parts), parts[0].first_key, parts[-1].last_key)
        if depth == 0:
            page = page._replace(frames=self.frames_of(page, header))
            for group in page.groups:
                self.check_slices(group, page, columns, at)
        require(entry[1:] == totals, "totals", holder.offset, "the entry of a page is not what the page says")
        return header, page

    def frames_of(self, page, holder):  # §5.2: the headers of a leaf page's frames
        frames = [self.follow(reference, holder, DATA) for reference in page.frames]
        used = list(dict.fromkeys(place.frame for group in page.groups for place in slices_of(group)))
        sound = used == list(range(len(frames))) and len(set(frames)) == len(frames)
        require(sound, "page", holder.offset, "the frames of a page are not unique, used and in the order of first use")
        return frames

    def check_slices(self, group, page, columns, at):  # §5.2
        check_group(group, columns, at)
        inside = all(place.start + place.length <= page.frames[place.frame].raw for place in slices_of(group))
        require(inside, "block", at, "a slice does not lie inside its frame")

    def data(self, page, place):  # §3.4: the bytes of a slice of a leaf page, and the offset of its frame
        frame = page.frames[place.frame]
        behind = self.slices_start(frame) <= place.start
        require(behind, "block", frame.offset, "a slice does not lie behind the directory")
        return self.body(frame)[place.start : place.start + place.length], frame.offset

    def columns(self, group, page, at):  # §5.2: of each block of a row group, its cells and their canonical form
        data = functools.partial(self.data, page)
        places = places_of(group, data)
        return [column_of(block, places, data, at) for block in group.blocks]


def number_of(cell):
    kind, payload = cell
    return payload if kind == INTEGER else struct.unpack("<d", struct.pack("<Q", payload))[0]


def bound_of(cell):  # §5.3
    kind, payload = cell
    exact = kind < TEXT or len(payload) <= MAX_BOUND_BYTES
    return TYPES["Bound"]((kind, payload if exact else payload[:MAX_BOUND_BYTES]), exact)


def bound_rank(cell, exact=True):  # §5.3: an inexact bound stands after an exact one of the same bytes
    return (0, number_of(cell), 0) if cell[0] <= REAL else (*cell, not exact)


def bounds_of(cells):  # §5.3: of a block. Of equals, min and max both give the first, as it must be
    present = [cell for cell in cells if cell[0] != NULL]
    if not present or any(number_of(cell) != number_of(cell) for cell in present if cell[0] == REAL):  # a NaN
        return None, None
    return bound_of(min(present, key=bound_rank)), bound_of(max(present, key=bound_rank))


def bounds_of_blocks(entries, rows):  # §5.3: of a column
    held = [entry for entry in entries if entry.minimum]
    if not held or any(not entry.minimum and entry.nulls < count for entry, count in zip(entries, rows)):
        return None, None
    low = min(held, key=lambda entry: bound_rank(*entry.minimum)).minimum
    return low, max(held, key=lambda entry: bound_rank(*entry.maximum)).maximum


def row_hash(cells):  # §7.2
    def mix(x):
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & U64
        x = (x ^ x >> 27) * 0x94D049BB133111EB & U64
        return x ^ x >> 31

    h = 0x9E3779B97F4A7C15
    for kind, payload in cells:
        h = mix(h ^ kind)
        if kind in (INTEGER, REAL):
            h = mix(h ^ payload & U64)
        elif kind >= TEXT:
            for start in range(0, len(payload), 8):
                h = mix(h ^ int.from_bytes(payload[start : start + 8], "little"))
            h = mix(h ^ len(payload))
    return h


def derive(context, *parts):  # §7.3, §7.4
    return blake3(b"".join(parts), derive_key_context=f"tabark 1 {context}").digest()


def hashed_string(text):  # §7.4
    return struct.pack("<I", len(text.encode())) + text.encode()


def key_rank(cell, collation, encoding):
    """§10: the key order for one cell; None where the specification leaves it open."""
    kind, payload = cell
    if kind <= REAL:
        return (0, 0) if kind == NULL else (1, number_of(cell))
    if kind == BYTES:
        return (3, payload)
    wide = encoding in ("UTF-16le", "UTF-16be")
    if collation == "BINARY":
        return (2, payload.decode().encode(encoding) if kind == TEXT and wide else payload)
    head, nul, _ = payload.partition(b"\0")
    rank = (2, payload.rstrip(b" ")) if collation == "RTRIM" else (2, head.lower() + nul, len(payload))
    return None if kind == RAW_TEXT and wide else rank


class Verifier(Archive):
    """Finds what is wrong in an archive: of every frame, table and directory what is found first (§10)."""

    def verify(self, full):
        self.findings, self.full = {}, full
        self.written_by = {}  # by header of a frame of slices: the number of the snapshot whose commit follows it
        self.tables_seen = set()  # table manifests whose pages have been walked, for snapshots may share them
        self.uses = {}  # by offset of a frame and start of a slice: what its label must say, see use()
        self.attempt(self.walk_chain)
        end = self.last.header.end
        self.attempt(require, end == len(self.file), "tail", end, "bytes follow that belong to no snapshot")
        commits = []
        self.attempt(lambda: [commits.append(commit) for commit in self.commits()])  # up to one that is refused
        for index, commit in enumerate(commits):
            self.attempt(self.check_history, commit, commits[index + 1 : index + 1 + HISTORY_PAGE_ENTRIES])
        before = None
        for commit in commits:  # each frame of records once
            if (commit.erasures, commit.erasures_digest) != before:
                self.attempt(self.erasures, commit)
            before = (commit.erasures, commit.erasures_digest)
        for commit in reversed(commits):  # oldest first: what is shared is met in the snapshot that wrote it
            self.attempt(self.check_snapshot, commit)
        for header, number in self.written_by.items() if full else ():
            self.attempt(self.check_directory, header, number)
        return list(self.findings)

    def attempt(self, check, *arguments):
        try:
            check(*arguments)
        except Fault as fault:
            self.findings[fault.args] = True  # each once, in the order they are found

    def walk_chain(self):  # §3, §3.2: every frame up to the last commit, one after the other
        position, base, waiting, chain = HEADER_LENGTH, 0, [], set()
        while position < self.last.header.end:
            header = self.frame_header(position)
            chain.add(position)
            if header.end > self.last.header.end:
                break
            if header.known and header.kind in (DATA, TABLE_METADATA):
                waiting.append(header)
            self.attempt(self.check_on_chain, header, base)
            if commit := self.commit_of(header):
                self.written_by |= dict.fromkeys(waiting, commit.number)
                base, waiting = position, []
            position = header.end
        self.chain = chain
        require(self.last.offset in chain, "commit", self.last.offset, "the last commit is not on the chain")

    def check_on_chain(self, header, base):  # §3.2: a frame, whether something leads to it or not
        require(header.base == base, "frame", header.offset, "the base is not the commit before")
        self.check_frame(header)
        require(header.known or header.flags & OPTIONAL, "unsupported", header.offset, "an unknown kind of frame")
        require(header.kind != COMMIT or self.commit_of(header), "commit", header.offset, "not a valid commit")

    def check_history(self, commit, older):  # §4.4: given up to 64 commits before it, newest first
        before = older[0].history if older else None
        if commit.snapshots % HISTORY_PAGE_ENTRIES != 1 or not older:
            require(commit.history == before, "commit", commit.offset, "another history page than before")
        elif len(older) == HISTORY_PAGE_ENTRIES:
            require(commit.history, "commit", commit.offset, "a history page is missing")
            header, page = self.structure(commit.history, commit.header, HISTORY, "HistoryPage")
            entries = [(*one[1:3], self.snapshot(one)[0].tags, *one[6:10]) for one in reversed(older)]
            same = page == (before, commit.snapshots - 1, entries)
            require(same, "commit", header.offset, "a history page is not what the commits say")

    def check_snapshot(self, commit):  # §4.2: all tables, and the one sum that needs them all
        manifest, holder, catalog = self.snapshot(commit)
        tables = [self.table_manifest(entry, holder) for entry in catalog.tables]
        logical = sum(table.logical_bytes for _, table in tables)
        require(manifest.logical_bytes == logical, "totals", holder.offset, "logical bytes of the snapshot are wrong")
        for entry, (header, table) in zip(catalog.tables, tables):
            self.use(entry.manifest, manifest.number, TABLE_MANIFEST, table.rows, entry.name, 0, 0)
            self.attempt(TableCheck(self, manifest, table).run, header, entry.manifest)

    def use(self, place, number, what, rows, table, group, column):
        """Notes what refers to a slice: the number of the snapshot, and what the label says then."""
        uses = self.uses.setdefault(place.frame.offset, {}).setdefault(place.start, set())
        uses.add((number, (what, rows, place.length, table, group, column)))

    def check_directory(self, header, number):
        """§3.4: a directory against its body and against what refers to its slices."""
        self.check_frame(header)
        at, position, labels = header.offset, self.slices_start(header), {}
        directory = decode(self.body(header)[4:position], "Directory", at)
        require(directory.snapshot == number, "directory", at, "the directory names another snapshot")
        for one in directory.slices:
            kinds = (BLOCK, PATCH, PLACES) if header.kind == DATA else (PAGE, TABLE_MANIFEST)
            sound = one.what in kinds and one.table < len(directory.tables)
            require(sound, "directory", at, "a label of no table, or of what cannot be in this kind of frame")
            labels[position] = (one.what, one.rows, one.length, directory.tables[one.table], one.group, one.column)
            position += one.length
        require(position == len(self.body(header)), "directory", at, "the slices do not add up to the body")
        for start, uses in self.uses.get(at, {}).items():
            label = labels.get(start, ())
            # A snapshot may use a slice that it wrote in several places; the label tells of one of them.
            own = [use for user, use in uses if user == number]
            fits = all(use[:3] == label[:3] for _, use in uses) and (label in own or not own)
            require(fits, "directory", at, "a label does not fit what refers to its slice")


class TableCheck:
    """What the pages and the manifest of a table claim of its cells (§10)."""

    def __init__(self, verifier, snapshot, manifest):
        self.verifier, self.number, self.manifest = verifier, snapshot.number, manifest
        self.name, self.key, self.engine = manifest.schema.name, manifest.schema.key, snapshot.source.engine
        is_sqlite = self.engine == "sqlite"
        self.encoding = dict(snapshot.source.settings).get("encoding") if is_sqlite else "UTF-8"
        self.rows = self.groups = self.places_stored = 0  # so far
        self.blocks = [[] for _ in manifest.columns]  # by column: (block entry, rows, stored bytes)
        self.count = self.size = 0  # rows and row bytes of the row group so far
        self.last_key = self.disorder = None
        collations = {"sqlite": ("BINARY", "NOCASE", "RTRIM"), "postgresql": ("BINARY",)}.get(self.engine, ())
        self.ordered = bool(self.key) and all(part.collation in collations for part in self.key)

    def run(self, holder, place):
        if (place, self.engine, self.encoding) in self.verifier.tables_seen:
            return
        self.verifier.tables_seen.add((place, self.engine, self.encoding))
        pages = self.verifier.pages(self.manifest.pages, holder, self.manifest.page_depth, len(self.blocks), set())
        for depth, entry, header, page in pages:
            self.verifier.use(entry.page, self.number, PAGE, entry.rows, self.name, self.groups, 0)
            for group in page.groups if depth == 0 and self.verifier.full else ():
                self.check_group(group, page, header)
        require(not (self.ordered and self.disorder), "order", holder.offset, f"row {self.disorder}")
        if self.verifier.full:
            self.check_summaries(holder.offset)

    def check_group(self, group, page, holder):  # §5.2, §7.3: a row group and its blocks
        at, columns, decoded = holder.offset, [], self.verifier.columns(group, page, holder.offset)
        for layer in group.layers:
            if layer.places:
                self.places_stored += self.stored(layer.places, page)
                self.use(layer.places, page, PLACES, layer.deleted + layer.inserted, 0)
        for index, (block, (cells, canonical)) in enumerate(zip(group.blocks, decoded)):
            columns.append(cells)
            stored = sum(self.stored(piece.slice, page) for piece in block.pieces)
            self.blocks[index].append((block, group.rows, stored))
            for number, piece in enumerate(block.pieces):
                self.use(piece.slice, page, PATCH if number else BLOCK, piece.rows, index)
            content = derive("column block content", canonical)
            require(block.content == content, "content", at, "the content digest of a block is wrong")
            claims = (len(canonical), sum(kind == NULL for kind, _ in cells), *bounds_of(cells))
            require(block[1:5] == claims, "totals", at, "bytes, nulls or bounds of a block are wrong")
            name, kinds = LOGICAL[self.manifest.schema.columns[index].logical]  # §5.1
            fits = {kind for kind, _ in cells} <= kinds | {NULL}
            require(fits, "cells", at, f"a column of the logical type {name} holds cells of other kinds")
        rows = list(zip(*columns)) or [()] * group.rows
        keys = [tuple(row[part.column] for part in self.key) for row in rows]
        same = group[1:3] == (list(map(bound_of, keys[0])), list(map(bound_of, keys[-1])))
        require(same, "totals", at, "first or last key of a row group are wrong")
        for index, (row, key) in enumerate(zip(rows, keys)):
            self.rows += 1
            self.check_boundary(row, key, index == 0, at)
            if self.ordered:
                self.check_order(key)
        self.groups += 1

    def stored(self, place, page):  # §5.1: the share of a slice in what its frame stores
        frame = page.frames[place.frame]
        return frame.stored * place.length // frame.raw

    def use(self, place, page, what, rows, column):
        place = TYPES["SliceReference"](page.frames[place.frame], place.start, place.length)
        self.verifier.use(place, self.number, what, rows, self.name, self.groups, column)

    def check_boundary(self, row, key, first, at):  # §7.2: whether a row starts a row group just where it should
        length = row_bytes(row)
        starts = self.count == MAX_GROUP_ROWS or self.size + length > MAX_GROUP_BYTES
        if self.count >= MIN_GROUP_ROWS and not starts:
            starts = row_hash(key or row) >> (64 - GROUP_BOUNDARY_BITS) == 0
        sound = starts == first or self.count == 0
        require(sound, "boundaries", at, f"a row group wrongly begins or goes on at row {self.rows}")
        self.count, self.size = (1, length) if first else (self.count + 1, self.size + length)

    def check_order(self, key):  # §10: a key that has no rank (a raw text) is not compared with its neighbours
        ranks = [key_rank(cell, part.collation, self.encoding) for cell, part in zip(key, self.key)]
        if any(rank[1] != rank[1] for rank in ranks if rank):
            self.disorder = self.disorder or f"{self.rows}: a NaN in the key"
        elif self.last_key and None not in ranks and None not in self.last_key:
            pairs = zip(self.last_key, ranks, self.key)
            falls = next(((a > b) != part.descending for a, b, part in pairs if a != b), None)
            if falls or falls is None and (0, 0) not in ranks:
                self.disorder = self.disorder or f"{self.rows}: the key is not above the one before"
        self.last_key = ranks

    def check_summaries(self, at):  # §5.1, §7.4: the summaries of the columns against the claims of their blocks
        stored = sum(summary.stored_bytes for summary in self.manifest.columns) + self.places_stored
        require(self.manifest.stored_bytes == stored, "totals", at, "the stored_bytes of a table are wrong")
        for summary, blocks in zip(self.manifest.columns, self.blocks):
            entries, rows, stored = zip(*blocks) if blocks else ((), (), ())
            counts = (sum(one.logical_bytes for one in entries), sum(stored), sum(one.nulls for one in entries))
            encodings = sorted(Counter(entry.pieces[0].encoding for entry in entries).items())
            same = summary[:6] == (*counts, *bounds_of_blocks(entries, rows), encodings)
            require(same, "totals", at, "the summary of a column is not what its blocks say")
            same = summary.fingerprint == derive("column fingerprint", *[entry.content for entry in entries])
            require(same, "fingerprint", at, "the fingerprint of a column is wrong")


def json_cell(cell):
    """A cell as spec/vectors/README.md writes it."""
    kind, payload = cell
    if kind in (REAL, BYTES, RAW_TEXT):
        name = {REAL: "real", BYTES: "bytes", RAW_TEXT: "rawtext"}[kind]
        return {name: f"{payload:016x}" if kind == REAL else payload.hex()}
    return payload.decode() if kind == TEXT else payload


def list_snapshots(archive, _options):
    for commit in archive.commits():
        manifest, _, catalog = archive.snapshot(commit)
        rows = {table.name: table.rows for table in catalog.tables}
        print(f"snapshot {commit.number}: time {commit.time}, tags {dict(manifest.tags)}, rows {rows}")


def print_rows(archive, options):
    commit = next((commit for commit in archive.commits() if options.at in (None, commit.number)), None)
    _, holder, catalog = archive.snapshot(commit or sys.exit(f"no snapshot {options.at}"))
    entry = next((entry for entry in catalog.tables if entry.name == options.table), None)
    header, manifest = archive.table_manifest(entry or sys.exit(f"no table {options.table!r}"), holder)
    names = [column.name for column in manifest.schema.columns]
    for depth, _, header, page in archive.pages(manifest.pages, header, manifest.page_depth, len(names), set()):
        for group in () if depth else page.groups:
            columns = [cells for cells, _ in archive.columns(group, page, header.offset)]
            for row in zip(*columns) if columns else [()] * group.rows:
                print(json.dumps(dict(zip(names, map(json_cell, row))), ensure_ascii=False, separators=(",", ":")))


def main(arguments=None):
    commands = {"list": list_snapshots, "cat": print_rows, "verify": lambda archive, o: archive.verify(o.full)}
    parser = argparse.ArgumentParser(description="Reads tabark archives.")
    parser.add_argument("command", choices=commands, help="snapshots, rows as JSON lines, or findings")
    parser.add_argument("archive")
    parser.add_argument("--full", action="store_true", help="verify: the cells too")
    parser.add_argument("-t", dest="table", help="cat: name of the table")
    parser.add_argument("--at", type=int, help="cat: number of the snapshot; the newest if not given")
    options = parser.parse_args(arguments)
    try:
        findings = commands[options.command](Verifier(options.archive), options) or []
    except Fault as fault:
        findings = [fault.args]
    except (OSError, MemoryError) as error:
        sys.exit(f"failed: {error!r}")
    for layer, offset, text in findings:
        print(f"{layer} at byte {offset}: {text}")
    return 3 if any(layer != "unsupported" for layer, _, _ in findings) else 4 if findings else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
