"""The vectors of words, §6.7 of spec/format.md: the good ones, and a bad one for each refusal."""

import re

from encoders import fixed, index_bytes, numbers, u32, u64, words
from writer import RawText, RealBits, cell

INTEGERS, TEXTS = b"\0\1", b"\0\3"
MEGABYTE = 1 << 20
MOST = 81856  # entries


def bytes_of(payload):
    return [payload[at : at + 1] for at in range(len(payload))]


def whole(payload):
    return [payload] if payload else []


def good_words(columns):
    texts = ["the quick brown fox", "the lazy dog", "", "a quick, quick dog", "the", " ", "the quick brown fox"]
    columns(
        "words",
        "texts of words, with lengths and counts by every codec",
        (words(), texts),
        (words(lengths_codec=0, counts_codec=2), texts),
        (words(lengths_codec=7, counts_codec=0), texts),
        (words(lengths_codec=2, counts_codec=7), texts),
        (words(kind="u16", lengths_codec=7), texts),
        (words(width=8), texts),
        (words(split=bytes_of), texts),
        (words(split=whole), texts),
    )
    columns(
        "words-one",
        "a single text: of one word, of many and of the same one many times",
        (words(), ["alone"]),
        (words(), ["one among others"]),
        (words(split=bytes_of), ["a" * 1000]),
    )
    columns(
        "words-empty",
        "empty texts only, which consist of no words; there is an entry nevertheless",
        (words(entries=[b"unused"]), [""] * 3),
        (words(entries=[b"unused"]), [None, "", None]),
        (words(entries=[b"unused"]), [b"", RawText(b""), ""]),
    )
    mixed = [None, 1, -1, 0.5, "a text", "é\0", b"\xff\xfe", RawText(b"a\xfe"), None, "", RealBits(0x7FF8000000000000)]
    columns(
        "words-kinds",
        "variable payloads of all kinds share entries, by every form of kinds",
        (words(), mixed),
        (words(), ["a b", b"a b", RawText(b"a b"), "b a", b"\xff b"]),
        (words(), [b"\0\1\2", b"\2\1\0"]),
        (words(2), [None, "a b", "b a"]),
        (words(1), [None, b"a b", b"b a"]),
    )
    columns(
        "words-characters",
        "entries that are a part of a character, or the end of one and the beginning of another",
        (words(split=bytes_of), ["é", "è", "€", "\U0001f600", "日本", "aéa", ""]),
        (words(entries=[b"\xc3\xa9\xc3", b"\xa8\xc3", b"\xa9"], split=thirds), ["éèé"] * 2),
    )
    doubled = [b"a", b"unused", b"b", b"a", b"\xff\xfe", b" ", b"b", b"a", b"a b"]
    columns(
        "words-entries",
        "entries that stand several times, of which each is used; entries that no text uses, some not UTF-8",
        (words(entries=doubled), ["a b a", "b b b", "a a a a", "b a"]),
        (words(entries=[b"x"] * 300, split=bytes_of), ["x" * 200, "x" * 100, "x" * 7]),
    )
    places = [0, 191, 192, 193, 447, 448, 16063, 16064, 16319, 16320, 16575, 16576, MOST - 256, MOST - 1]
    counts = [1, 2, 191, 192, 193, 448, 449, 16319, 16320, 16321, MOST - 1]
    columns(
        "words-edges",
        "the first and last entries of indexes of one, two and three bytes",
        edges(MOST, *places),
        *[edges(count, 0, count - 1) for count in counts],
        compress=True,
    )
    lines = [f"{number * number % 7}.{number:03} user {number * 37 % 1009} logged in" for number in range(150)]
    columns("words-lines", "lines of a log, of more different words than indexes of one byte reach", (words(), lines))


def thirds(payload):
    return re.findall(rb"\xc3\xa9\xc3|\xa8\xc3|\xa9", payload)


def edges(count, *places):
    """An encoder of so many entries, all the same but for those at the places, and texts of these, which stand out."""
    entries = [b"-"] * count
    for place in places:
        entries[place] = b"[%d]" % place
    marks = [f"[{place}]" for place in dict.fromkeys(places)]
    encoder = words(entries=entries, split=lambda payload: re.findall(rb"\[\d+\]", payload))
    return encoder, ["".join(marks), marks[-1], "".join(reversed(marks)), marks[0] * 2]


def bad_words(block):
    def parts(entries, counts, indexes, kinds=TEXTS, before=b"", held=None, lengths=None, rows=None):
        """The lengths are those of the entries, and as many as are said to be held, if not given."""
        lengths = [len(entry) for entry in entries] if lengths is None else lengths
        head = b"\x08" + u32(rows or len(counts)) + kinds + before + u32(len(lengths) if held is None else held)
        head += numbers(lengths, 1) + numbers(counts, 0) + b"".join(entries)
        return head + (indexes if isinstance(indexes, bytes) else b"".join(map(index_bytes, indexes)))

    two, both = ["a", "b"], [b"a", b"b"]
    bad_entries(block, parts)
    block("words-counts", "a text of 2^64 - 1 words", two, parts(both, [1, 2**64 - 1], [0, 1]))
    sum_of_counts = "counts of words whose sum is theirs modulo 2^64 only"
    block("words-counts-sum", sum_of_counts, two, parts(both, [2**63 + 1, 2**63 + 1], [0, 1]))
    block("words-counts-more", "a word more than there are indexes", two, parts(both, [1, 2], [0, 1]))
    block("words-counts-fewer", "an index more than there are words", ["a", ""], parts(both, [1, 0], [0, 1]))
    block("words-left-over", "a byte after the last index", two, parts(both, [1, 1], b"\0\1\0"))
    block("words-index-missing", "no index at all", two, parts(both, [1, 1], []))
    bad_indexes(block, parts)
    integers = parts([b"a"], [], [], INTEGERS, fixed([cell(1), cell(2)]), rows=2)
    block("words-no-variable", "no variable payload", [1, 2], integers)
    nulls = parts([b"a"], [], [], b"\0\0", rows=2)
    block("words-nulls-only", "no payload at all", [None] * 2, nulls)
    block("words-utf8", "a text that is not UTF-8", two, parts([b"a", b"\xff"], [1, 1], [0, 1]))
    halves = parts([b"\xc3", b"\xa9"], [1, 1], [0, 1])
    block("words-utf8-joined", "two texts that are valid UTF-8 only together", ["x", "y"], halves)
    large, stated = ["x" * MEGABYTE] * 64, {"compress": True, "logical": 1000}
    data = parts([b"x" * MEGABYTE], [1] * 64, [0] * 64)
    block("words-row-bytes", "cells of more row bytes than may be", large, data, **stated)
    # What the cells would be is of no matter, for none are read.
    data = parts([b"x" * MEGABYTE], [MEGABYTE], [0] * MEGABYTE)
    block("words-row-bytes-high", "one text of a terabyte, of two megabytes in the block", ["x"], data, **stated)


def bad_entries(block, parts):
    two, both = ["a", "b"], [b"a", b"b"]
    block("words-none", "no entries, and two empty texts", ["", ""], parts([], [0, 0], []))
    many = parts([b"a"] * (MOST + 1), [1, 1], [0, 0])
    block("words-many", f"{MOST + 1:,} entries", ["a", "a"], many, compress=True)
    # All of them of one byte, which frame of reference of width 0 says in ten bytes.
    highest = parts([b"a"], [1, 1], [0, 0], held=2**32 - 1)
    block("words-many-high", "nearly 2^32 entries", ["a", "a"], highest)
    block("words-entry-empty", "an entry of no bytes", ["a", "a"], parts([b"a", b""], [1, 2], [0, 0, 1]))
    describes = "an entry of no bytes, which no text uses"
    block("words-entry-empty-unused", describes, ["a", "a"], parts([b"a", b""], [1, 1], [0, 0]))
    block("words-length", "an entry of 2^63 bytes", two, parts(both, [1, 1], [0, 1], lengths=[1, 2**63]))
    describes = "lengths of entries whose sum is theirs modulo 2^64 only"
    block("words-lengths-sum", describes, two, parts(both, [1, 1], [0, 1], lengths=[2**63 + 1, 2**63 + 1]))
    block("words-entries-cut-off", "an entry is cut off", ["", ""], parts(both, [0, 0], [], lengths=[1, 2]))
    head = b"\x08" + u32(2) + TEXTS
    block("words-rows-cut-off", "the rows only, without kinds", two, head[:5])
    block("words-fixed-cut-off", "a fixed payload is cut off", [1, "a"], b"\x08" + u32(2) + b"\1\1\3" + u64(1)[:7])
    block("words-held-cut-off", "the number of entries is cut off", two, head + u32(2)[:3])
    head += u32(2)
    block("words-lengths-cut-off", "a length is missing", two, head + numbers([1]))
    block("words-counts-missing", "no counts", two, head + numbers([1, 1]))
    block("words-counts-cut-off", "a count is missing", two, head + numbers([1, 1]) + numbers([1]))
    for what, codecs in (("lengths", b"\3\0"), ("counts", b"\0\3")):
        lengths, counts = (bytes([codec]) + u64(1, 1) for codec in codecs)
        block(f"words-{what}-codec", f"{what} by codec 3", two, head + lengths + counts + b"ab\0\1")


def bad_indexes(block, parts):
    def index(name, describes, count, indexes):
        """Of texts of two words each, of so many entries of one byte."""
        data = parts([b"a"] * count, [2, 2], indexes)
        block(f"words-index-{name}", describes, ["aa", "aa"], data, compress=count > 200)

    index("1", "an index of one byte that is no entry's", 2, [0, 1, 1, 2])
    index("1-last", "the last index of one byte, of one entry less", 191, [0, 1, 191, 2])
    index("2", "the first index of two bytes, of one entry less", 192, [0, 1, 192, 2])
    index("2-last", "the last index of two bytes, of one entry less", 16319, [0, 1, 16319, 2])
    index("3", "the first index of three bytes, of one entry less", 16320, [0, 1, 16320, 2])
    index("3-last", "the last index of three bytes, of one entry less", MOST - 1, [0, 1, MOST - 1, 2])
    index("2-few", "an index of two bytes, of two entries", 2, [0, 1, 192, 1])
    index("3-few", "an index of three bytes, of two entries", 2, [0, 1, 16320, 1])
    index("2-cut-off", "an index that lacks its second byte", 193, b"\0\1\2\xc0")
    index("3-cut-off", "an index that lacks its second and third byte", 16321, b"\0\1\2\xff")
    index("3-cut-off-third", "an index that lacks its third byte", 16321, b"\0\1\2\xff\0")
