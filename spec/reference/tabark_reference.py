#!/usr/bin/env python3
"""A reader of tabark archives, written from spec/format.md alone. It favours plainness over speed.

tabark_format.py holds the structures, this file the archive and the commands, tabark_verify.py the verification.

Exit codes: 0 ok, 1 the operation failed, 2 usage, 3 damaged, not an archive or without a complete snapshot,
4 a version, feature, kind or encoding that this program does not know.
"""

import argparse
import datetime
import json
import os
import struct
import sys
from types import SimpleNamespace

import zstandard
from blake3 import blake3

from tabark_format import (
    ARCHIVE_MAGIC,
    BODY_LIMITS,
    CATALOG,
    COMMIT,
    COMMIT_BODY_LENGTH,
    COMMIT_FRAME_LENGTH,
    DATA,
    FLAG_COMPRESSED,
    FLAG_ENCRYPTED,
    FLAG_OPTIONAL,
    FORMAT_VERSION,
    FRAME_HEADER_LENGTH,
    FRAME_MAGIC,
    HEADER_LENGTH,
    HISTORY,
    HISTORY_PAGE_ENTRIES,
    INTEGER,
    BYTES,
    KIND_NAMES,
    KNOWN_KIND_VERSION,
    MANIFEST,
    MAX_GROUP_BYTES,
    MAX_GROUP_ROWS,
    MAX_PAGE_DEPTH,
    MAX_WINDOW_BYTES,
    PLAIN,
    REAL,
    TABLE_METADATA,
    TEXT,
    Body,
    Commit,
    Fault,
    FrameHeader,
    check_pairs,
    decode_canonical,
    decode_whole,
    digest_of,
    fixed_reference,
    require,
)
from tabark_verify import Verifier


class OperationFailed(Exception):
    """The archive may be sound, but what was asked for cannot be done."""


class Archive:
    """An opened archive: its header and its last commit are checked (§10, "on opening")."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.size = self.file.seek(0, os.SEEK_END)
        self.chain = None  # offsets where frames begin, once something has walked them
        self.bodies = {}  # the few bodies used last
        self.read_archive_header()
        self.last = self.find_last_commit()
        self.check_features(self.last)

    def read(self, offset, length):
        self.file.seek(offset)
        data = self.file.read(length)
        require(len(data) == length, "frame", offset, "the file ends too early")
        return data

    # §3.1
    def read_archive_header(self):
        header = self.read(0, min(HEADER_LENGTH, self.size))
        require(header[:8] == ARCHIVE_MAGIC, "header", 0, "not a tabark archive")
        require(len(header) == HEADER_LENGTH, "header", 0, "damaged: the archive header is cut off")
        require(digest_of(header[:32]) == header[32:], "header", 0, "damaged: the archive header's digest is wrong")
        version = int.from_bytes(header[8:12], "little")
        require(version == FORMAT_VERSION, "unsupported", 8, f"format version {version}, this program reads 1")
        require(not any(header[12:16]), "header", 12, "damaged: reserved bytes are not zero")
        self.id = header[16:32]

    # §3.2
    def parse_frame_header(self, offset):
        require(offset + FRAME_HEADER_LENGTH <= self.size, "frame", offset, "a frame header is cut off")
        data = self.read(offset, FRAME_HEADER_LENGTH)
        require(data[:4] == FRAME_MAGIC, "frame", offset, "no frame begins here")
        require(digest_of(data[:72]) == data[72:], "frame", offset, "a frame header's digest is wrong")
        header = FrameHeader(offset, *struct.unpack("<4xBBH8sQQQ32s32s", data))
        require(header.tag == self.id[:8], "frame", offset, "a frame has another archive's tag")
        return header

    def frame_header(self, offset):
        header = self.parse_frame_header(offset)
        require(header.end <= self.size, "frame", offset, "a frame reaches beyond the file's end")
        require(not header.flags & FLAG_ENCRYPTED, "unsupported", offset, "an encrypted frame")
        require(not header.flags & ~(FLAG_COMPRESSED | FLAG_OPTIONAL), "frame", offset, "reserved flags are set")
        if header.compressed:
            require(header.stored < header.raw, "frame", offset, "compressed, but not smaller than raw")
        else:
            require(header.stored == header.raw, "frame", offset, "not compressed, but stored and raw lengths differ")
        if self.knows(header):
            require(header.raw <= BODY_LIMITS[header.kind], "frame", offset, "a body exceeds its limit")
        return header

    @staticmethod
    def knows(header):
        return header.kind in KIND_NAMES and header.version <= KNOWN_KIND_VERSION

    def check_stored(self, header):
        hasher, position, end = blake3(), header.offset + FRAME_HEADER_LENGTH, header.end
        while position < end:
            hasher.update(self.read(position, min(1 << 20, end - position)))
            position += min(1 << 20, end - position)
        require(hasher.digest() == header.body_digest, "frame", header.offset, "a body's digest is wrong")

    def body(self, header):
        if header.offset in self.bodies:
            return self.bodies[header.offset]
        stored = self.read(header.offset + FRAME_HEADER_LENGTH, header.stored)
        require(digest_of(stored) == header.body_digest, "frame", header.offset, "a body's digest is wrong")
        body = Body(header, self.decompress(header, stored) if header.compressed else stored)
        self.bodies[header.offset] = body
        if len(self.bodies) > 4:
            del self.bodies[next(iter(self.bodies))]
        return body

    @staticmethod
    def decompress(header, stored):
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
        pieces, total, position = [], 0, 0
        try:
            # Small steps keep what one step can yield small, so that no more than the raw length is ever made.
            while position < len(stored) and not decompressor.eof:
                pieces.append(decompressor.decompress(stored[position : position + 1024]))
                position += 1024
                total += len(pieces[-1])
                require(total <= header.raw, "frame", header.offset, "a body is longer than its raw length")
        except zstandard.ZstdError as error:
            raise Fault("frame", header.offset, f"a body does not decompress: {error}") from None
        require(decompressor.eof, "frame", header.offset, "a compressed body ends too early")
        require(
            not decompressor.unused_data and position >= len(stored),
            "frame",
            header.offset,
            "bytes follow the Zstandard frame",
        )
        require(total == header.raw, "frame", header.offset, f"a body has {total} raw bytes, not {header.raw}")
        return b"".join(pieces)

    # §3.3
    def follow(self, reference, holder, kind):
        at = holder.offset
        require(
            HEADER_LENGTH <= reference.offset and reference.offset + reference.length <= holder.offset,
            "reference",
            at,
            f"a reference to byte {reference.offset} does not lie wholly before the frame that holds it",
        )
        require(reference.length >= FRAME_HEADER_LENGTH, "reference", at, "a reference is shorter than a frame header")
        text = f"a reference leads to byte {reference.offset}, where no frame begins"
        require(self.read(reference.offset, len(FRAME_MAGIC)) == FRAME_MAGIC, "reference", at, text)
        header = self.frame_header(reference.offset)
        # Inside a body there can be bytes that look like a frame.
        require(self.chain is None or header.offset in self.chain, "reference", at, text)
        require(header.digest == reference.digest, "reference", at, f"another frame is at byte {header.offset}")
        require(header.length == reference.length, "reference", at, "a reference has another length than its frame")
        require(
            self.knows(header),
            "unsupported",
            header.offset,
            f"a needed frame of kind {header.kind} version {header.version}",
        )
        require(
            header.kind == kind,
            "reference",
            at,
            f"a reference to a {KIND_NAMES[kind]} leads to a {KIND_NAMES[header.kind]} frame",
        )
        require(header.version == KNOWN_KIND_VERSION, "frame", header.offset, "the kind version is 0")
        return header

    def structure(self, reference, holder, kind, shape):
        body = self.body(self.follow(reference, holder, kind))
        return body.header, decode_whole(body, shape)

    # §3.4
    def slice_structure(self, reference, holder, shape):
        body = self.body(self.follow(reference.frame, holder, TABLE_METADATA))
        end = reference.start + reference.length
        require(
            body.slices_start() <= reference.start and end <= len(body.raw),
            "reference",
            holder.offset,
            "a slice does not lie behind the directory and inside the body",
        )
        return body.header, decode_whole(body, shape, reference.start, end)

    # §4.1
    def commit_at(self, offset):
        """The valid commit at an offset, or None."""
        try:
            header = self.parse_frame_header(offset)
        except Fault:
            return None
        if header.kind != COMMIT or header.end > self.size:
            return None
        require(
            header.version <= KNOWN_KIND_VERSION,
            "unsupported",
            offset,
            f"a commit of kind version {header.version}, this program reads 1",
        )
        if header.version != 1 or header.flags or not header.stored == header.raw == COMMIT_BODY_LENGTH:
            return None
        data = self.read(offset + FRAME_HEADER_LENGTH, COMMIT_BODY_LENGTH)
        fields = list(struct.unpack("<QqQQQQQQ48s48s48sQ40s", data))
        fields[8:11] = map(fixed_reference, fields[8:11])
        commit = Commit(header, *fields)
        return commit if digest_of(data) == header.body_digest and commit.offset == offset else None

    def find_last_commit(self):
        commit = (
            self.commit_at(self.size - COMMIT_FRAME_LENGTH)
            if self.size >= HEADER_LENGTH + COMMIT_FRAME_LENGTH
            else None
        )
        if commit:
            return commit
        # The base of a frame header found on the way is not followed: cells may hold frames, those of an older copy of
        # this archive for one, and their base would lead past later commits. A commit's own offset cannot be copied.
        for offset in self.frame_magics_backwards():
            commit = self.commit_at(offset)
            if commit:
                return commit
        raise Fault("commit", self.size, "the file holds no complete snapshot")

    def frame_magics_backwards(self):
        end, step = self.size, 1 << 20
        while end > HEADER_LENGTH:
            start = max(HEADER_LENGTH, end - step)
            data = self.read(start, min(end + len(FRAME_MAGIC) - 1, self.size) - start)
            position = len(data)
            while (position := data.rfind(FRAME_MAGIC, 0, position + len(FRAME_MAGIC) - 1)) >= 0:
                yield start + position
            end = start

    def check_features(self, commit):
        require(
            commit.reader_features == 0,
            "unsupported",
            commit.offset,
            f"unknown reader features {commit.reader_features:#x}",
        )
        require(not any(commit.reserved), "commit", commit.offset, "reserved bytes of the commit are not zero")
        require(commit.manifest, "commit", commit.offset, "the commit refers to no snapshot manifest")
        require(commit.number and commit.snapshots, "commit", commit.offset, "snapshot number or count is 0")

    def commit_before(self, commit):
        """The previous commit with all that §4.1 says of the two, or None if there is none."""
        at = commit.offset
        previous = commit.previous
        require(
            (previous is None) == (commit.snapshots == 1),
            "commit",
            at,
            "the number of snapshots does not fit whether there is a previous commit",
        )
        require(
            (previous.offset if previous else 0) == commit.header.base,
            "commit",
            at,
            "the base is not the previous commit",
        )
        end_before = 0
        if previous:
            header = self.follow(previous, commit.header, COMMIT)
            before = self.commit_at(header.offset)
            require(before, "commit", header.offset, "not a valid commit")
            self.check_features(before)
            require(before.number < commit.number, "commit", at, "the snapshot number is not above the previous one's")
            require(before.snapshots + 1 == commit.snapshots, "commit", at, "the number of snapshots does not fit")
            require(not before.writer_features & ~commit.writer_features, "commit", at, "a feature bit is lost")
            end_before = header.end
        require(commit.bytes_added == commit.header.end - end_before, "commit", at, "bytes added are wrong")
        return before if previous else None

    # §4.4
    def history_pages(self):
        """(frame header, page) for each history page, newest first."""
        holder, reference = self.last.header, self.last.history
        covered = (self.last.snapshots - 1) // HISTORY_PAGE_ENTRIES * HISTORY_PAGE_ENTRIES
        while reference or covered:
            require(reference and covered, "commit", holder.offset, "history pages do not fit the number of snapshots")
            holder, page = self.structure(reference, holder, HISTORY, "HistoryPage")
            numbers = [entry.number for entry in page.entries]
            require(
                page.covered == covered and len(numbers) == HISTORY_PAGE_ENTRIES,
                "commit",
                holder.offset,
                "a history page covers other snapshots than it should",
            )
            require(
                all(a < b for a, b in zip(numbers, numbers[1:])),
                "commit",
                holder.offset,
                "the entries of a history page do not ascend",
            )
            for entry in page.entries:
                check_pairs(entry.tags, "tags", "manifest", holder.offset)
            yield holder, page
            covered -= HISTORY_PAGE_ENTRIES
            reference = page.previous

    def snapshots(self):
        """All snapshots, newest first, as (history entry, the frame that refers to the manifest)."""
        commit, covered = self.last, (self.last.snapshots - 1) // HISTORY_PAGE_ENTRIES * HISTORY_PAGE_ENTRIES
        while commit and commit.snapshots > covered:
            _, manifest = self.snapshot_manifest(commit.manifest, commit.header)
            yield SimpleNamespace(
                number=commit.number,
                time=commit.time,
                tags=manifest.tags,
                tables=commit.tables,
                rows=commit.rows,
                bytes_added=commit.bytes_added,
                manifest=commit.manifest,
            ), commit.header
            commit = self.commit_before(commit)
        for holder, page in self.history_pages():
            yield from ((entry, holder) for entry in reversed(page.entries))

    # §4.2, §4.3, §5.1
    def snapshot_manifest(self, reference, holder):
        header, manifest = self.structure(reference, holder, MANIFEST, "SnapshotManifest")
        check_pairs(manifest.tags, "tags", "manifest", header.offset)
        check_pairs(manifest.source.settings, "settings", "manifest", header.offset)
        return header, manifest

    def catalog(self, reference, holder):
        header, catalog = self.structure(reference, holder, CATALOG, "Catalog")
        names = [entry.name.encode() for entry in catalog.tables]
        require(
            all(a < b for a, b in zip(names, names[1:])),
            "manifest",
            header.offset,
            "the tables of the catalog are not sorted or not unique",
        )
        return header, catalog

    def table_manifest(self, entry, holder):
        header, manifest = self.slice_structure(entry.manifest, holder, "TableManifest")
        at, schema = header.offset, manifest.schema
        require(schema.name == entry.name, "manifest", at, "the manifest is another table's than the catalog says")
        require(len(manifest.columns) == len(schema.columns), "manifest", at, "not one summary per column")
        require(all(column.logical == 0 for column in schema.columns), "unsupported", at, "a reserved logical type")
        names = [column.name for column in schema.columns]
        require(len(set(names)) == len(names), "manifest", at, "two columns have one name")
        require(not any(column.hidden for column in schema.columns[1:]), "manifest", at, "a hidden column is not first")
        require(all(part.column < len(names) for part in schema.key), "manifest", at, "a key part of no column")
        check_pairs(schema.options, "table options", "manifest", at)
        for summary in manifest.columns:
            numbers = [number for number, _ in summary.encodings]
            require(all(a < b for a, b in zip(numbers, numbers[1:])), "manifest", at, "encodings do not ascend")
        # A leaf is a level too, so that eight levels of pages are seven of inner pages and one of leaves.
        require(manifest.page_depth < MAX_PAGE_DEPTH, "manifest", at, "too many levels of pages")
        require(bool(manifest.pages) == bool(manifest.rows), "manifest", at, "pages do not fit the number of rows")
        return header, manifest

    # §5.2
    def page(self, entry, holder, schema, depth):
        header, (alternative, page) = self.slice_structure(entry.page, holder, "Page")
        at, key_parts = header.offset, len(schema.key)
        require(alternative == (depth > 0), "page", at, "a leaf where an inner page belongs, or the reverse")
        require(entry.rows and entry.groups, "page", holder.offset, "an entry for a page without rows")
        parts = [entry] + (page.children if depth else page.groups)
        require(
            all(len(part.first_key) == len(part.last_key) == key_parts for part in parts),
            "page",
            at,
            "a first or last key has not the key's number of cells",
        )
        if depth == 0:
            self.check_leaf(page, header, len(schema.columns))
        return header, page

    def check_leaf(self, page, holder, columns):
        at = holder.offset
        frames = [self.follow(reference, holder, DATA) for reference in page.frames]
        require(len({frame.offset for frame in frames}) == len(frames), "page", at, "a page names one frame twice")
        used = 0
        for group in page.groups:
            require(1 <= group.rows <= MAX_GROUP_ROWS, "page", at, f"a row group of {group.rows} rows")
            require(len(group.blocks) == columns, "page", at, "a row group has not one block per column")
            # Each cell counts for at least one byte (§7.2); checked first, for cells may need no bytes in the file.
            require(
                group.rows == 1 or group.rows * columns <= MAX_GROUP_BYTES,
                "boundaries",
                at,
                "a row group has too many cells",
            )
            for block in group.blocks:
                require(
                    block.frame < len(frames) and block.frame <= used,
                    "page",
                    at,
                    "a page's frames are not in the order of first use",
                )
                used = max(used, block.frame + 1)
                require(
                    4 <= block.start and block.start + block.length <= frames[block.frame].raw,
                    "block",
                    at,
                    "a block does not lie inside its frame",
                )
                require(block.encoding == PLAIN, "unsupported", at, f"encoding {block.encoding}")
        require(used == len(frames), "page", at, "a page names a frame that no block uses")

    # §6
    def block(self, entry, page, holder, rows):
        """The cells of a block and their canonical form."""
        body = self.body(self.follow(page.frames[entry.frame], holder, DATA))
        require(
            body.slices_start() <= entry.start and entry.length >= 1,
            "block",
            holder.offset,
            "a block does not lie behind the directory",
        )
        encoding = body.raw[entry.start]
        at = body.locate(entry.start)
        require(encoding == entry.encoding, "block", at, "a block's encoding is not what its page says")
        canonical = body.raw[entry.start + 1 : entry.start + entry.length]
        return decode_canonical(canonical, rows, at), canonical


def json_cell(cell):
    kind, payload = cell
    if kind <= INTEGER:
        return payload
    if kind == REAL:
        return {"real": f"{payload:016x}"}
    return payload.decode("utf-8") if kind == TEXT else {"bytes" if kind == BYTES else "rawtext": payload.hex()}


def rows_of(archive, manifest, holder):
    """The rows of a table as lists of cells, with all that §10 wants checked before cells are used."""

    def descend(entries, entries_holder, depth):
        for entry in entries:
            page_holder, page = archive.page(entry, entries_holder, manifest.schema, depth)
            if depth:
                yield from descend(page.children, page_holder, depth - 1)
                continue
            for group in page.groups:
                columns = [archive.block(block, page, page_holder, group.rows)[0] for block in group.blocks]
                yield from zip(*columns) if columns else ([] for _ in range(group.rows))

    return descend(manifest.pages, holder, manifest.page_depth)


def readable_time(microseconds):
    try:
        epoch = datetime.datetime(1970, 1, 1)
        return (epoch + datetime.timedelta(microseconds=microseconds)).isoformat() + "Z"
    except OverflowError:
        return f"{microseconds} microseconds"


def command_list(archive, _options):
    for index, (entry, holder) in enumerate(archive.snapshots()):
        tags = "".join(f" {key}={value!r}" for key, value in entry.tags)
        print(
            f"snapshot {entry.number}: {readable_time(entry.time)}, {entry.tables} tables, {entry.rows} rows, "
            f"{entry.bytes_added} bytes added{tags}"
        )
        if index == 0:
            header, manifest = archive.snapshot_manifest(entry.manifest, holder)
            for table in archive.catalog(manifest.catalog, header)[1].tables:
                print(f"    table {table.name!r}: {table.rows} rows")


def command_verify(archive, options):
    findings = Verifier(archive, options.full).run()
    for layer, offset, text in findings:
        print(f"{layer} at byte {offset}: {text}")
    if findings:
        return 4 if all(layer == "unsupported" for layer, _, _ in findings) else 3
    print(f"{archive.last.snapshots} snapshots, {archive.size} bytes: no findings")


def command_cat(archive, options):
    for entry, holder in archive.snapshots():
        if options.at in (None, entry.number):
            break
    else:
        raise OperationFailed(f"no snapshot {options.at}")
    header, manifest = archive.snapshot_manifest(entry.manifest, holder)
    catalog_header, catalog = archive.catalog(manifest.catalog, header)
    for table in catalog.tables:
        if table.name == options.table:
            break
    else:
        raise OperationFailed(f"snapshot {entry.number} has no table {options.table!r}")
    table_header, manifest = archive.table_manifest(table, catalog_header)
    names = [column.name for column in manifest.schema.columns]
    for row in rows_of(archive, manifest, table_header):
        print(json.dumps(dict(zip(names, map(json_cell, row))), ensure_ascii=False, separators=(",", ":")))


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Reads tabark archives.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("list", command_list, "list the snapshots and the newest one's tables"),
        ("verify", command_verify, "check all frames and references; --full: all content too"),
        ("cat", command_cat, "write a table's rows as JSON lines"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("archive", metavar="ARCHIVE")
        command.set_defaults(run=run)
        if name == "verify":
            command.add_argument("--full", action="store_true")
        if name == "cat":
            command.add_argument("-t", dest="table", metavar="TABLE", required=True)
            command.add_argument("--at", type=int, metavar="N", help="snapshot number; the newest if not given")
    options = parser.parse_args(arguments)
    try:
        return options.run(Archive(options.archive), options) or 0
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 4 if fault.layer == "unsupported" else 3
    except (OperationFailed, OSError, MemoryError) as error:
        print(f"failed: {error or 'out of memory'}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
