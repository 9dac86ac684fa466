"""The bad vectors of the encodings of column blocks: one for each refusal of §6 of spec/format.md.

A block is put together by hand from its parts with one fault in it; its digests and claims are those of the cells that
a reader without the check would find there, where there are any.
"""

import struct

from pcodec import DeltaSpec, ModeSpec

from encoded_words import bad_words
from encoders import (
    UNUSED_PCO_TYPES,
    dictionary,
    fixed,
    lengths_and,
    numbers,
    pco,
    planes,
    u32,
    u64,
)
from writer import Writer, canonical, cell, table

INTEGERS, TEXTS, REALS = b"\0\1", b"\0\3", b"\0\2"
MEGABYTE = 1 << 20
MULTIPLE = {"kind": "u32", "mode": ModeSpec.try_int_mult(1000)}


def bad_encodings(bad):
    def block(name, describes, values, *parts, layer="cells", encoder=None, compress=False, logical=None):
        """A table of one column, whose block is these bytes, or what an encoder makes; its entry may state others."""
        writer = Writer(
            changes={
                "groups": lambda groups: [[row for group in groups for row in group]],
                "logical": lambda length: logical or length,
            },
            compress=compress,
            encoders={0: encoder or (lambda cells: b"".join(parts))},
        )
        made = writer.append([table("t", ["a"], [[value] for value in values])])
        bad(name, layer, "full", describes, writer=made, cat="refuse")

    for make in (bad_blocks, bad_kinds, bad_numbers, bad_pco, bad_dictionaries, bad_decimals, bad_typed_texts):
        make(block)
    bad_front_coding(block)
    bad_words(block)
    large = [["x" * MEGABYTE] * 2] * 40
    whole = Writer(
        changes={"groups": lambda groups: [[row for group in groups for row in group]]},
        compress=True,
        encoders={0: dictionary(), 1: dictionary()},
    ).append([table("t", ["a", "b"], large)])
    describes = "a row group of more bytes than it may have, no block of it with more than it may have"
    bad("group-logical-bytes", "page", "verify", describes, writer=whole, cat="refuse")


def bad_blocks(block):
    three, head = [1, 2, 3], b"\1" + u32(3) + INTEGERS
    words = numbers(three, 1)
    block("encoded-rows", "more rows than the row group has", three, b"\1" + u32(4), b"\0\1", words, layer="block")
    block("encoded-rows-cut-off", "the number of rows is cut off", three, head[:4])
    block("encoded-empty", "a block of its encoding only", three, b"\1")
    block("encoded-unknown", "encoding 9", three, b"\x09", canonical([cell(one) for one in three]), layer="unsupported")
    block("encoded-left-over", "a byte after the last part", three, head, words, b"\0")
    block("encoded-kinds-cut-off", "the kinds are cut off", three, b"\1", u32(3), b"\1\1\2")
    block("encoded-numbers-missing", "no byte for the codec", three, head)
    block("encoded-base-cut-off", "the base is cut off", three, head, words[:6])
    block("encoded-planes-cut-off", "a plane is cut off", three, head, words[:-1])
    text = b"\1" + u32(2) + b"\1\1\3" + numbers([1], 1)
    block("encoded-lengths-cut-off", "lengths of variable payloads are cut off", [1, "ab"], text, b"\2\0")
    block("encoded-payload-cut-off", "a variable payload is cut off", [1, "ab"], text, u32(2), b"a")
    block("encoded-length", "a variable payload of nearly 2^32 bytes", [1, "ab"], text, u32(2**32 - 1), b"ab")
    block("encoded-payload-left-over", "a byte after the variable payloads", [1, "ab"], text, u32(2), b"abc")
    block("encoded-utf8", "a text that is not UTF-8", [1, "ab"], text, u32(2), b"a\xc3")
    joined = [cell(one) for one in (1, b"\xc3", b"\xa9")]
    parts = b"\1" + u32(3) + b"\1\1\3\3" + numbers([1], 1) + lengths_and([one for _, one in joined[1:]])
    block("encoded-utf8-joined", "two texts that are valid UTF-8 only together", [1, "x", "y"], parts)


def bad_kinds(block):
    two = numbers([1, 2], 1)
    head = b"\1" + u32(2)
    block("encoded-form", "form 3 of kinds where there is none", [1, 2], head, b"\3\0", two)
    block("encoded-form-4", "form 4 of kinds, in decimal", [1, 2], b"\4", u32(2), b"\4\0\0", u32(0), two)
    block("encoded-one-kind", "form 1 with cells of one kind", [1, 2], head, b"\1\1\1", two)
    block("encoded-kind-of-all", "form 0 with an unknown kind", [None] * 2, head, b"\0\6", two)
    block("encoded-kind", "form 1 with an unknown kind", [1, None], head, b"\1\1\6", numbers([1], 1))
    block("encoded-kind-of-present", "form 2 with an unknown kind", [None] * 2, head, b"\2\6\1", two)
    block("encoded-kind-null", "form 2 with nulls among nulls", [1, None], head, b"\2\0\1", numbers([1], 1))
    block("encoded-bitmap-padding", "a bit behind the last row", [1, None], head, b"\2\1\5", numbers([1], 1))
    block("encoded-bitmap-last-bit", "the last bit of a bitmap", [1, None], head, b"\2\1\x81", numbers([1], 1))
    block("encoded-bitmap-all", "form 2 without nulls", [1, 2], head, b"\2\1\3", two)
    block(
        "encoded-bitmap-none", "form 2 with nulls only", [None] * 2, b"\6", u32(2), b"\2\3\0", numbers([]), numbers([])
    )
    nine = [1] * 8 + [None]
    block("encoded-bitmap-cut-off", "a bitmap that lacks a byte", nine, b"\1", u32(9), b"\2\1\xff")


def bad_numbers(block):
    three = [1, 2, 3]
    for encoding, codec in ((1, 0), (1, 2), (1, 7), (2, 1), (2, 0), (7, 0), (7, 2)):
        head = bytes([encoding]) + u32(3) + INTEGERS
        describes = f"the numbers of encoding {encoding} by codec {codec}"
        block(f"encoded-codec-{encoding}-{codec}", describes, three, head, numbers(three, codec))
    index_head = b"\3" + u32(3, 3, 30) + canonical([cell(one) for one in three])
    assert len(index_head) == 13 + 30
    block("encoded-codec-unknown", "numbers by codec 3", three, index_head, b"\3", u64(0, 1, 2))
    wide = u64(1) + b"\x09" + planes([u64(one) + b"\0" for one in range(3)], 9)
    block("for-width", "frame of reference of width 9", three, b"\1", u32(3), INTEGERS, b"\1", wide)
    wide = u64(1, 1) + b"\x09" + bytes(18)
    block("delta-width", "delta of width 9", three, b"\2", u32(3), INTEGERS, b"\2", wide)
    block("delta-cut-off", "the second number of delta is missing", [7], b"\2", u32(1), INTEGERS, b"\2", u64(7, 0))
    for encoding, name in ((1, "for"), (2, "delta"), (7, "pco")):
        # Whatever stands there as the numbers of none.
        none = {1: numbers([], 1), 2: b"\2" + bytes(17), 7: b"\7" + u32(10) + pco([])}[encoding]
        head = bytes([encoding]) + u32(2)
        describes = f"encoding {encoding} of no fixed payload"
        block(f"{name}-no-fixed", describes, ["a", "b"], head, TEXTS, none, lengths_and([b"a", b"b"]))
    block("for-nulls-only", "frame of reference of nulls", [None] * 2, b"\1", u32(2), b"\0\0", numbers([], 1))
    # All payloads are exceptions, so that there are no values.
    head = b"\5" + u32(1) + TEXTS + b"\1" + u32(1) + numbers([0]) + lengths_and([b"a"])
    block("delta-of-none", "delta of no numbers", ["a"], head, b"\2", bytes(17))
    block("pco-of-none", "pco of no numbers", ["a"], head, b"\7", u32(len(pco([]))), pco([]))


def bad_pco(block):
    values = [5, 6, 7]
    file, head = pco(values), b"\7" + u32(3) + INTEGERS + b"\7"
    reals = pco(values, "f64")

    def broken(name, describes, data, layer="cells", length=None, after=b""):
        block(name, describes, values, head, u32(len(data) if length is None else length), data, after, layer=layer)

    def changed(place, *new, of=file):
        return of[:place] + bytes(new) + of[place + len(new) :]

    # Magic, standalone version 3, type of all numbers (0: not said), a hint of the count, format version 4.1; then per
    # chunk its type and its count less one in three bytes, metadata and numbers; then a 0.
    chunk = file.index(b"\4\1") + 2
    assert file[:6] == b"pco!\3\0" and file[chunk : chunk + 4] == b"\4\2\0\0" and file[-1] == 0
    broken("pco-magic", "another magic", changed(3, 0x20))
    broken("pco-standalone-version", "a newer standalone version", changed(4, 4), "unsupported")
    broken("pco-format-version", "a newer major format version", changed(chunk - 2, 5), "unsupported")
    older = file[:4] + b"\2" + file[6:]  # it has no type of all numbers
    broken("pco-standalone-version-2", "an older standalone version", older, "unsupported")
    older = file[: chunk - 2] + b"\3" + file[chunk:]  # it has no minor version
    broken("pco-format-version-3", "an older major format version", older, "unsupported")
    broken("pco-more", "a chunk of more numbers than there should be", pco([5, 6, 7, 8]))
    broken("pco-chunks", "as many numbers as there should be, but in two chunks", pco(values, chunk=2))
    broken("pco-more-chunks", "more numbers than there should be, by another chunk", file[:-1] + file[chunk:])
    broken("pco-fewer", "fewer numbers than there should be", pco([5, 6]))
    broken("pco-count", "a chunk that says it has 2^24 numbers", changed(chunk + 1, 255, 255, 255))
    broken("pco-no-numbers", "a file of no numbers", pco([]))
    for name in UNUSED_PCO_TYPES:
        broken(f"pco-type-{name}", f"numbers of a type that is not used: {name}", pco(values, name))
    broken("pco-type-unknown", "numbers of an unknown type", changed(chunk, 12))
    broken("pco-uniform-type", "a chunk of another type than the file says all have", changed(5, 6))
    one, other = pco([5]), pco([6, 7], "u64")
    mixed = one[:-1] + other[other.index(b"\4\1") + 2 :]
    broken("pco-types-differ", "two chunks of different types", mixed)
    broken("pco-terminator-missing", "the byte that ends the file is missing", file[:-1])
    broken("pco-left-over", "a byte after the end of the file, within its length", file + b"\0")
    broken("pco-cut-off", "the file is cut off", file[:-4])
    broken("pco-header-cut-off", "the file is cut off in its header", file[:5])
    broken("pco-length", "a file of nearly 2^32 bytes", file, length=2**32 - 1)
    broken("pco-length-shorter", "a byte of the file behind its length", file, length=len(file) - 1)
    broken("pco-behind", "a byte behind the file", file, after=b"\0")
    broken("pco-metadata", "metadata of a chunk that cannot be", changed(chunk + 4, 255, 255, 255))
    broken("pco-empty", "a file of no bytes", b"")
    walk = [(index % 11) ** 3 * 1000 for index in range(300)]
    refused = (
        ("pco-lookback", "delta encoding 2, with a window", 4, 2, {"delta": DeltaSpec.try_lookback()}),
        ("pco-convolution", "delta encoding 3", 4, 3, {"kind": "u32", "delta": DeltaSpec.try_conv1(2)}),
        ("pco-convolution-multiple", "delta encoding 3 of mode 1", 36, 3, MULTIPLE | {"delta": DeltaSpec.try_conv1(2)}),
    )
    for name, describes, place, found, options in refused:
        data = pco(walk, **options)
        metadata = int.from_bytes(data[data.index(b"\4\1", 7) + 6 :], "little")
        assert metadata >> place & 15 == found, name
        block(name, describes, walk, b"\7", u32(len(walk)), INTEGERS, b"\7", u32(len(data)), data)
    # Made by pcodec's mode 4 of 10^15, 7 and 7; it writes the values of its table in any order.
    table_of_two = "70636f210300c10401040200002400000007000000000000800080c6a47e8d038000010000000080000100"
    data = bytes.fromhex(table_of_two)
    three = b"\7" + u32(3) + INTEGERS + b"\7" + u32(len(data)) + data
    block("pco-dictionary", "mode 4, with a table of values", [10**15, 7, 7], three)
    four = b"\7" + u32(4) + REALS + b"\7" + u32(len(reals)) + reals
    block("pco-reals-fewer", "fewer reals than there should be", [5.0, 6.0, 7.0, 8.0], four)


def bad_dictionaries(block):
    def parts(held, indexes, count=None, entries=None, length=None, form=None):
        form = canonical(held) if form is None else form
        counts = u32(count or len(indexes), len(held) if entries is None else entries)
        return counts + u32(len(form) if length is None else length) + form + numbers(indexes, 0)

    a, b = cell("a"), cell("b")
    held, two = canonical([a, b]), ["a", "b"]
    block("dictionary-none", "a dictionary of no entries", two, b"\3", parts([], [0, 0], form=b""))
    block("dictionary-more", "more entries than rows", two, b"\3", parts([a, b, cell("c")], [0, 1]))
    block("dictionary-many", "nearly 2^32 entries", two, b"\3", parts([a, b], [0, 1], entries=2**32 - 1))
    block("dictionary-twice", "two identical entries", ["a", "a"], b"\3", parts([a, a], [0, 1]))
    block(
        "dictionary-nulls",
        "two nulls among the entries",
        [None, "a", None],
        b"\3",
        parts([cell(None), a, cell(None)], [0, 1, 2]),
    )
    block("dictionary-index", "an index of no entry", two, b"\3", parts([a, b], [0, 2]))
    block("dictionary-index-high", "an index of 2^64 - 1", two, b"\3", parts([a, b], [0, -1]))
    block("dictionary-rows", "entries of another number of rows", two, b"\3", parts([a, b], [0, 0], entries=1))
    block(
        "dictionary-length", "the entries reach beyond the block", two, b"\3", parts([a, b], [0, 1], length=2**32 - 1)
    )
    block(
        "dictionary-length-shorter",
        "a byte of the entries is missing",
        two,
        b"\3",
        parts([a, b], [0, 1], form=held[:-1]),
    )
    block(
        "dictionary-entries-left-over", "a byte after the entries", two, b"\3", parts([a, b], [0, 1], form=held + b"c")
    )
    one_kind = held[:4] + b"\1\3\3" + held[6:]
    block(
        "dictionary-one-kind", "entries in form 1 with one kind only", two, b"\3", parts([a, b], [0, 1], form=one_kind)
    )
    block(
        "dictionary-kind",
        "an entry of unknown kind",
        two,
        b"\3",
        parts([a, b], [0, 1], form=held[:5] + b"\6" + held[6:]),
    )
    wrong = held[:-1] + b"\xff"
    block("dictionary-utf8", "an entry that is not UTF-8", two, b"\3", parts([a, b], [0, 1], form=wrong))
    block(
        "dictionary-utf8-unused",
        "an entry that no row uses is not UTF-8",
        ["a"] * 2,
        b"\3",
        parts([a, b], [0, 0], form=wrong),
    )
    block("dictionary-indexes-cut-off", "an index is missing", two, b"\3", parts([a, b], [0], count=2))
    block("dictionary-left-over", "an index too many", two, b"\3", parts([a, b], [0, 1, 0], count=2))
    large, stated = ["x" * MEGABYTE] * 64, {"compress": True, "logical": 1000}
    block("dictionary-row-bytes", "cells of more row bytes than may be", large, encoder=dictionary(), **stated)


def bad_decimals(block):
    def parts(decimals, exceptions=(), kinds=b"\3\0", exponent=1, count=None, rows=None, codec=1):
        """Exceptions are (place, kind, word)."""
        out = b"\4" + u32(rows or len(decimals)) + kinds + bytes([exponent])
        out += u32(len(exceptions) if count is None else count)
        if exceptions:
            out += numbers([place for place, _, _ in exceptions], 0)
        return out + b"".join(bytes([kind]) + u64(word) for _, kind, word in exceptions) + numbers(decimals, codec)

    half = struct.unpack("<Q", struct.pack("<d", 0.5))[0]
    values = [0.5, 0.1, 0.5]
    tens = [5, 1, 5]
    block("decimal-exponent", "exponent 23", [0.0, 0.0], parts([0, 0], exponent=23, kinds=REALS))
    block("decimal-not-whole", "an integer that is not whole", [1, 2], parts([10, 25], kinds=INTEGERS))
    block(
        "decimal-not-whole-negative", "a negative integer that is not whole", [1, -2], parts([10, -25], kinds=INTEGERS)
    )
    block(
        "decimal-real-large",
        "a real of a decimal above 2^53",
        [2.0**53, 0.0],
        parts([2**53 + 1, 0], exponent=0, kinds=REALS),
    )
    block(
        "decimal-integer-large",
        "an integer of a decimal above 2^53",
        [2**53 + 1, 0],
        parts([2**53 + 1, 0], exponent=0, kinds=INTEGERS),
    )
    block("decimal-open-large", "a decimal above 2^53 in form 3", [2**53 + 1, 0], parts([2**53 + 1, 0], exponent=0))
    block("decimal-large-negative", "a decimal below -2^53", [-(2**53) - 1, 0], parts([-(2**53) - 1, 0], exponent=0))
    block("decimal-least", "the decimal -2^63", [-(2**63), 0], parts([-(2**63), 0], exponent=0))
    all_three = [(place, 2, half) for place in range(3)]
    block("decimal-exceptions-only", "as many exceptions as fixed payloads", [0.5] * 3, parts(tens, all_three))
    block("decimal-exceptions-more", "nearly 2^32 exceptions", values, parts(tens, [(0, 2, half)], count=2**32 - 1))
    block("decimal-places-fall", "places that fall", values, parts(tens, [(2, 2, half), (0, 2, half)]))
    block("decimal-places-twice", "a place twice", values, parts(tens, [(0, 2, half), (0, 2, half)]))
    block("decimal-place", "a place behind the last fixed payload", values, parts(tens, [(0, 2, half), (3, 2, half)]))
    block(
        "decimal-place-null",
        "a place that would be a row, not a fixed payload",
        [0.5, None],
        parts([5], [(1, 2, half)], b"\3\1\1", rows=2),
    )
    block("decimal-exception-null", "an exception that is null", [None, 0.1], parts([0, 1], [(0, 0, 0)]))
    block("decimal-exception-text", "an exception that is a text", [0.5, 0.1], parts([0, 1], [(0, 3, half)]))
    block(
        "decimal-exception-kind",
        "an integer among the exceptions of reals",
        [0.5, 0.1],
        parts([0, 1], [(0, 1, half)], REALS),
    )
    block(
        "decimal-exception-kind-2",
        "a real among the exceptions of integers",
        [1, 2],
        parts([0, 20], [(0, 2, 1)], INTEGERS),
    )
    block("decimal-exceptions-cut-off", "an exception is cut off", values, parts(tens, [(0, 2, half)], codec=0)[:29])
    block("decimal-nulls", "form 3 with 2 for its nulls", [0.5, None], parts([5], kinds=b"\3\2\1", rows=2))
    block(
        "decimal-bitmap-padding",
        "form 3 with a bit behind the last row",
        [0.5, None],
        parts([5], kinds=b"\3\1\5", rows=2),
    )
    block(
        "decimal-bitmap-all",
        "form 3 with a bitmap although there are no nulls",
        [0.5, 0.1],
        parts([5, 1], kinds=b"\3\1\3"),
    )
    block("decimal-bitmap-none", "form 3 with nulls only", [None] * 2, parts([], kinds=b"\3\1\0", rows=2))
    block("decimal-no-fixed", "no fixed payload", ["a", "b"], parts([], kinds=TEXTS, rows=2), lengths_and([b"a", b"b"]))
    block("decimal-cut-off", "a decimal is missing", values, parts([5, 1], rows=3))
    block("decimal-left-over", "a byte after the last part", values, parts(tens), b"\0")
    mixed = parts([5], kinds=b"\1\2\3", rows=2)
    block("decimal-payload-cut-off", "a variable payload is cut off", [0.5, "ab"], mixed, u32(2), b"a")


def bad_typed_texts(block):
    def parts(pattern, values, exceptions=(), kinds=TEXTS, count=None, rows=None):
        """Exceptions are (place, payload); values are the bytes of the last part."""
        out = b"\5" + u32(rows or 2) + kinds + pattern + u32(len(exceptions) if count is None else count)
        if exceptions:
            out += numbers([place for place, _ in exceptions], 0)
        return out + lengths_and([payload for _, payload in exceptions]) + values

    def values(name, describes, pattern, *given):
        """Values of which the last cannot be written; what the cells would be is of no matter, for none are read."""
        block(name, describes, ["x"] * len(given), parts(pattern, numbers(given, 0), rows=len(given)))

    first, days = "1970-01-01", [0, 0]
    both = [first, first]
    block("typed-pattern-0", "pattern 0", both, parts(b"\0", numbers(days)))
    block("typed-pattern-6", "pattern 6", both, parts(b"\6", numbers(days)))
    values("typed-date-low", "the day before 0000-01-01", b"\1", -719528, -719529)
    values("typed-date-high", "the day after 9999-12-31", b"\1", 2932896, 2932897)
    values("typed-date-least", "day -2^63", b"\1", 0, -(2**63))
    values("typed-date-greatest", "day 2^63 - 1", b"\1", 0, 2**63 - 1)
    low, high = -719528 * 86400, 2932897 * 86400
    values("typed-timestamp-low", "the second before the year 0000", b"\2 \0\0", low, low - 1)
    values("typed-timestamp-high", "the second after the year 9999", b"\2 \0\0", high - 1, high)
    values(
        "typed-timestamp-low-digits", "the microsecond before the year 0000", b"\2 \6\0", low * 10**6, low * 10**6 - 1
    )
    values(
        "typed-timestamp-high-digits", "the microsecond after the year 9999", b"\2 \6\0", high * 10**6 - 1, high * 10**6
    )
    time = first + " 00:00:00"
    block(
        "typed-separator",
        "a separator that is neither a space nor T",
        [time.replace(" ", "t")] * 2,
        parts(b"\2t\0\0", numbers(days)),
    )
    block("typed-digits", "ten digits of a second", [time + "." + "0" * 10] * 2, parts(b"\2 \x0a\0", numbers(days)))
    block(
        "typed-suffix", "a suffix of nine bytes", [time + "123456789"] * 2, parts(b"\2 \0\x09123456789", numbers(days))
    )
    block("typed-suffix-cut-off", "the suffix is cut off", [time + "12"] * 2, b"\5" + u32(2) + TEXTS + b"\2 \0\x021")
    block("typed-suffix-utf8", "texts that a suffix makes invalid UTF-8", both, parts(b"\2 \0\1\xc3", numbers(days)))
    nil = "00000000-0000-0000-0000-000000000000"
    block("typed-uuid-case", "UUIDs of case 2", [nil] * 2, parts(b"\3\2", bytes(32)))
    block("typed-uuid-cut-off", "a byte of the UUIDs is missing", [nil] * 2, parts(b"\3\0", bytes(31)))
    block("typed-hexadecimal-case", "hexadecimal digits of case 2", ["00"] * 2, parts(b"\4\2" + u32(1), bytes(2)))
    block("typed-hexadecimal-empty", "hexadecimal digits of no bytes", [""] * 2, parts(b"\4\0" + u32(0), b""))
    long = ["00" * 65537] * 2
    block(
        "typed-hexadecimal-long",
        "hexadecimal digits of 65,537 bytes",
        long,
        parts(b"\4\0" + u32(65537), bytes(2 * 65537)),
        compress=True,
    )
    block(
        "typed-hexadecimal-cut-off",
        "a byte of hexadecimal digits is missing",
        ["0000"] * 2,
        parts(b"\4\0" + u32(2), bytes(3)),
    )
    block("typed-numbered-digits", "numbers of 19 digits", ["0" * 19] * 2, parts(b"\5\0\x13", numbers(days)))
    values("typed-numbered-negative", "a negative number", b"\5\0\0", 0, -1)
    values("typed-numbered-negative-padded", "a negative number of two digits", b"\5\0\2", 0, -1)
    values("typed-numbered-long", "a number of three digits where there are two", b"\5\0\2", 99, 100)
    block(
        "typed-prefix-utf8",
        "texts that a prefix makes invalid UTF-8",
        ["x1"] * 2,
        parts(b"\5\1\xc3\0", numbers([1, 1])),
    )
    block("typed-prefix-cut-off", "the prefix is cut off", ["ab1"] * 2, b"\5" + u32(2) + TEXTS + b"\5\x02a")
    some = [first, "a", "b"]
    block(
        "typed-exceptions-more",
        "more exceptions than variable payloads",
        ["a", "b"],
        parts(b"\1", numbers([]), [(0, b"a"), (1, b"b"), (2, b"c")]),
    )
    block(
        "typed-exceptions-many",
        "nearly 2^32 exceptions",
        some,
        parts(b"\1", numbers([0]), [(1, b"a"), (2, b"b")], count=2**32 - 1, rows=3),
    )
    block("typed-places-fall", "places that fall", some, parts(b"\1", numbers([0]), [(2, b"b"), (1, b"a")], rows=3))
    block(
        "typed-places-twice",
        "a place twice",
        ["a", first, first],
        parts(b"\1", numbers([0]), [(0, b"a"), (0, b"a")], rows=3),
    )
    block(
        "typed-place", "a place behind the last variable payload", [first, "a"], parts(b"\1", numbers([0]), [(2, b"a")])
    )
    block(
        "typed-exception-utf8",
        "an exception that is not UTF-8",
        [first, "a"],
        parts(b"\1", numbers([0]), [(1, b"\xff")]),
    )
    block(
        "typed-exception-cut-off",
        "an exception's length reaches beyond the block",
        [first, "a"],
        parts(b"\1", b"", count=1),
        numbers([1]),
        u32(2**32 - 1),
    )
    block("typed-values-cut-off", "a value is missing", both, parts(b"\1", numbers([0])))
    block("typed-left-over", "a value too many", both, parts(b"\1", numbers([0, 0, 0])))
    integers = b"\5" + u32(2) + INTEGERS + u64(1, 2) + b"\1" + u32(0) + numbers([])
    block("typed-no-variable", "no variable payload", [1, 2], integers)
    block("typed-fixed-cut-off", "a fixed payload is cut off", [1, first], b"\5" + u32(2) + b"\1\1\3" + u64(1)[:7])
    large = ["00" * 65536] * 512
    data = parts(b"\4\0" + u32(65536), bytes(512 * 65536), rows=512)
    block("typed-row-bytes", "cells of more row bytes than may be", large, data, compress=True, logical=1000)


def bad_front_coding(block):
    def parts(shared, lengths, rest, kinds=TEXTS, before=b"", codec=0):
        count = u32(len(shared))
        return b"\6" + count + kinds + before + numbers(shared, codec) + numbers(lengths, codec) + rest

    block("front-coding-first", "the first text shares a byte", ["a", "ab"], parts([1, 1], [1, 1], b"ab"))
    block(
        "front-coding-shares-more",
        "a text shares more bytes than the one before it has",
        ["a", "a"],
        parts([0, 2], [1, 0], b"a"),
    )
    block("front-coding-shares-most", "a text shares 2^64 - 1 bytes", ["a", "a"], parts([0, -1], [1, 0], b"a"))
    block("front-coding-sum", "a text whose length is 0 modulo 2^64", ["a", ""], parts([0, 1], [1, -1], b"a"))
    block("front-coding-length", "a text of 2^63 bytes", ["a", "b"], parts([0, 0], [1, 2**63], b"ab"))
    block("front-coding-cut-off", "a text is cut off", ["a", "ab"], parts([0, 1], [1, 1], b"a"))
    block(
        "front-coding-lengths-cut-off",
        "a length is missing",
        ["a", "ab"],
        b"\6",
        u32(2),
        TEXTS,
        numbers([0, 1]),
        numbers([1]),
    )
    block("front-coding-left-over", "a byte after the last text", ["a", "ab"], parts([0, 1], [1, 1], b"abc"))
    block(
        "front-coding-utf8",
        "a text that keeps half of a character of the one before",
        ["é", "x"],
        parts([0, 1], [2, 0], "é".encode()),
    )
    integers = b"\6" + u32(2) + INTEGERS + fixed([cell(1), cell(2)]) + numbers([]) * 2
    block("front-coding-no-variable", "no variable payload", [1, 2], integers)
    large = ["x" * MEGABYTE] * 64
    data = parts([0] + [MEGABYTE] * 63, [MEGABYTE] + [0] * 63, b"x" * MEGABYTE)
    block("front-coding-row-bytes", "cells of more row bytes than may be", large, data, compress=True, logical=1000)
