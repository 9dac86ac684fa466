"""The good vectors of the encodings of column blocks, §6 of spec/format.md."""

from pcodec import DeltaSpec, ModeSpec

from encoded_words import good_words
from encoders import (
    date,
    decimal,
    dictionary,
    front_coding,
    hexadecimal,
    numbered,
    numeric,
    timestamp,
    typed_text,
    uuid,
)
from writer import RawText, RealBits, Writer, table

NAN, OTHER_NAN = RealBits(0x7FF8000000000000), RealBits(0xFFF0000000000001)
LEAST, GREATEST = -(2**63), 2**63 - 1
MIXED = [None, 1, -1, 0.5, -0.0, "text", "é\0", b"\xff", RawText(b"\xfe"), None, "", NAN]


def padded(values, count):
    """As many values, the last ones again and again."""
    return [values[min(index, len(values) - 1)] for index in range(count)]


def good_encodings(good):
    def columns(name, describes, *pairs, compress=False):
        """A table of a column for each pair of an encoder and its values."""
        count = max(len(values) for _, values in pairs)
        rows = list(zip(*[padded(values, count) for _, values in pairs]))
        names = [f"c{index}" for index in range(len(pairs))]
        encoders = {index: encoder for index, (encoder, _) in enumerate(pairs)}
        good(name, describes, [table("t", names, rows)], Writer(compress=compress, encoders=encoders))

    good_numbers(columns)
    good_pco(columns)
    good_dictionaries(columns)
    good_decimals(columns)
    good_typed_texts(columns)
    good_front_coding(columns)
    good_words(columns)


def good_numbers(columns):
    forms = [
        ("all integers", None, [5, 7, -2]),
        ("form 2 of integers", 2, [None, 5, 7, None, None, 0, 1, 2, 3, None, 4]),
        ("form 1 where form 2 could be", 1, [None, 5, 7, None]),
        ("all reals", None, [0.5, -0.0, float("inf"), NAN]),
        ("form 2 of reals", 2, [0.5, None]),
        ("all kinds", 1, MIXED),
    ]
    for codec, name in ((1, "for"), (2, "delta")):
        spans = [(width, 256**width) for width in range(1, 8)]
        columns(
            f"{name}-widths",
            f"{'frame of reference' if codec == 1 else 'delta'} of widths 0 to 8",
            *[(numeric(codec, width=0), [-7] * 5 if codec == 1 else [-7, -9, -11, -13, -15])],
            *[(numeric(codec, width=w), [-9, span // 2 - 10, span // 2 - 9, span - 10]) for w, span in spans],
            (numeric(codec, width=8), [LEAST, 0, 1, 2**55, GREATEST]),
            (numeric(codec, width=3), [1, 2, 3, 4]),
        )
        columns(
            f"{name}-kinds",
            "every form of kinds",
            *[(numeric(codec, form), values) for _, form, values in forms],
        )
        eight = [None, 1, 2, 3, 4, 5, 6, 7]
        columns(f"{name}-bitmap-full", "a bitmap of whole bytes", (numeric(codec, 2), eight + eight[::-1]))
        columns(
            f"{name}-wraps",
            "sums that are meant modulo 2^64",
            (numeric(codec, base=2**64 - 3, width=1), [-3, -2, -1, 0, 1] if codec == 1 else [9, 6, 4, 4, 5]),
            (numeric(codec, base=2**64 - 1, width=8), [LEAST, GREATEST, 0, LEAST, -1]),
        )
    columns("delta-one", "delta of one number, and of one among nulls", (numeric(2), [7]))
    columns("delta-one-present", "delta of one number among nulls", (numeric(2), [None, 7.5, None]))
    columns("delta-one-width", "delta of one number, whose width is not 0", (numeric(2, width=5, base=9), [7]))
    columns("for-one", "frame of reference of one number", (numeric(1), [LEAST]))
    many = [index * index % 1000003 - 500 for index in range(700)]
    columns("numbers-many", "700 rows by frame of reference and delta", (numeric(1), many), (numeric(2), many))


def good_pco(columns):
    types = [
        ("u16", [0, 1, 65535, 9]),
        ("u32", [0, 1, 2**32 - 1]),
        ("u64", [0, LEAST, -1, GREATEST]),
        ("i16", [-(2**15), 2**15 - 1, -1]),
        ("i32", [-(2**31), 2**31 - 1, -1]),
        ("i64", [LEAST, GREATEST, -1]),
        ("f64", [0.5, -0.0, float("-inf"), NAN, OTHER_NAN]),
    ]
    columns("pco-types", "pco of every type of number", *[(numeric(7, kind=kind), values) for kind, values in types])
    columns(
        "pco-crossed",
        "integers stored as f64, reals as u64 and i64",
        (numeric(7, kind="f64"), [0, 1, LEAST, -1]),
        (numeric(7, kind="u64"), [0.5, -0.0, NAN]),
        (numeric(7, kind="i64"), [0.5, -0.5, OTHER_NAN]),
    )
    columns(
        "pco-kinds",
        "pco with every form of kinds",
        (numeric(7), [3, 4, 5]),
        (numeric(7, 2), [3, None, 5]),
        (numeric(7, 1), [3, None, 5]),
        (numeric(7, 1), MIXED),
    )
    columns(
        "pco-counts",
        "pco of one number and of some",
        (numeric(7), [None] * 9 + [1]),
        (numeric(7, kind="u64"), list(range(10))),
        (numeric(7, kind="f64"), [index / 4 for index in range(10)]),
    )
    walk = [1_700_000_000 + index * 60 + index * index % 7 for index in range(300)]
    columns(
        "pco-modes",
        "pco's modes and ways of delta encoding that may be used",
        (numeric(7, delta=DeltaSpec.try_consecutive(1)), walk),
        (numeric(7, delta=DeltaSpec.try_consecutive(2)), walk),
        (numeric(7, mode=ModeSpec.try_int_mult(60)), [value // 60 * 60 for value in walk]),
        (
            numeric(7, kind="f64", mode=ModeSpec.try_float_mult(0.01)),
            [index * index % 997 / 100 for index in range(300)],
        ),
        (numeric(7, kind="f64", mode=ModeSpec.try_float_quant(40)), [float(index % 89) for index in range(300)]),
    )


def good_dictionaries(columns):
    words = ["red", "green", "blue", "red", "red", "", "green"]
    columns(
        "dictionary",
        "dictionaries of texts, numbers, bytes and of one entry",
        (dictionary(), words),
        (dictionary(), [5, 6, 5, 5, 6, LEAST, GREATEST]),
        (dictionary(), [0.5, 0.0, -0.0, NAN, OTHER_NAN, 0.0, -0.0]),
        (dictionary(), [b"", b"\xff", b"", b"a", b"\xff", b"\xff", b"a"]),
        (dictionary(), ["one"] * 7),
        (dictionary(), [None] * 7),
        (dictionary(), [None, 1, None, 2, None, 1, 2]),
    )
    columns(
        "dictionary-kinds",
        "entries of every kind, of which some have the same payload",
        (dictionary(), [None, 1, "a", 1.0, b"a", None, RawText(b"a"), RealBits(1), "a", b"a", 1]),
    )
    columns(
        "dictionary-codecs",
        "indexes by every codec and of more bytes than they need",
        (dictionary(0), words),
        (dictionary(1, width=0), ["same"] * 7),
        (dictionary(1, width=8), words),
        (dictionary(2), words),
        (dictionary(7, kind="u16"), words),
        (dictionary(7, kind="u64"), words),
    )
    spare = [(3, b"blue"), (0, None), (3, b"red"), (3, b"unused"), (3, b"green"), (3, b"")]
    columns("dictionary-unused", "entries that no row uses", (dictionary(entries=spare), words))
    columns("dictionary-of-all", "as many entries as rows", (dictionary(2), list(range(300))))


def good_decimals(columns):
    money = [1.25, 0.1, -3.99, 100.0, 0.07, 0.0]
    columns(
        "decimal-reals",
        "reals of few digits, by every form of kinds",
        (decimal(2, 0), money),
        (decimal(2, 1), money[:5] + [None]),
        (decimal(2, 2), money[:5] + [None]),
        (decimal(2, 1, 2), [0.25, "text", None, b"\xff", 2, RawText(b"\xff")]),
        (decimal(2, 0, 0), money),
        (decimal(2, 0, 7), money),
    )
    columns(
        "decimal-integers",
        "integers as decimals, with an exponent and without",
        (decimal(0, 0), [1, -2, 2**53, -(2**53), 0]),
        (decimal(3, 0), [1, -2, 9007199254740, 0]),
        (decimal(0, 2), [1, None, 3]),
        (decimal(0, 1), [1, None, 2.0, 3]),
        (decimal(22, 0), [0, 0]),
    )
    columns(
        "decimal-open",
        "form 3: integers and reals by their values",
        (decimal(2), [1, 1.5, 2, -0.25, 0, 33]),
        (decimal(2), [1, None, 2.75, None, 0, -1]),
        (decimal(0), [1, 2, 3, -4, 0, 5]),
        (decimal(1), [0.5, None]),
    )
    columns(
        "decimal-exceptions",
        "what is no decimal, in every form of kinds and by every codec of places",
        (decimal(2), [1.5, -0.0, NAN, 1.0, 2**53 + 1, LEAST, 0.1 + 0.2, float("inf"), 7, 1e300]),
        (decimal(2, places_codec=0), [None, 1.0, 0.5, 5e-324, None, GREATEST]),
        (decimal(2, 0, places_codec=2), [1.5, -0.0, NAN, 0.1 + 0.2, 0.25]),
        (decimal(2, 0, places_codec=7), [1, 2**53, LEAST, 5]),
        (decimal(2, 1), [1, 0.5, None, GREATEST, OTHER_NAN, 9]),
        (decimal(2, 2), [1.5, None, -0.0, float("-inf"), 3.0]),
        (decimal(2, ignored=LEAST), [1.5, -0.0, 2, 1.0]),
        (decimal(2, 0, 0, ignored=2**53 + 1), [3.5, -0.0, 3.5]),
    )
    columns(
        "decimal-exponents",
        "exponents 0 to 22, and the greatest decimals",
        *[(decimal(e), [float(1) / 10**e if e else 1, float(12345) / 10**e, 0, None]) for e in range(23)],
        (decimal(0), [2**53, -(2**53), 2**53 - 1]),
        (decimal(22), [float(2**53) / 1e22, -float(2**53) / 1e22]),
        (decimal(1), [float(2**53) / 10, float(2**53 - 1) / 10]),
    )


def good_typed_texts(columns):
    days = ["1970-01-01", "0000-01-01", "0000-02-29", "9999-12-31", "2000-02-29", "1900-02-28", "1600-02-29"]
    days += ["0001-01-01", "0000-12-31", "1969-12-31", "2024-12-31", "0400-03-01"]
    columns(
        "typed-date",
        "dates, without exceptions and with some, by every codec",
        (typed_text(date()), days),
        (typed_text(date(0)), days),
        (typed_text(date(2)), days),
        (typed_text(date(7, kind="i32")), days),
        (typed_text(date()), ["2024-02-30", "", "2023-02-29", "1900-02-29", days[0], "2024-1-1", "2024-01-01 "]),
        (typed_text(date(), places_codec=2, exceptional=[1, 2]), days),
        (typed_text(date(1, width=0)), ["not", "one"]),
        (typed_text(date(0)), ["not", "one"]),
    )
    columns(
        "typed-kinds",
        "variable payloads of all kinds among others, by every form of kinds",
        (typed_text(date(), 2), [None, days[0], None]),
        (typed_text(date(), 1), [None, days[0], None]),
        (typed_text(date()), [days[0].encode(), b"\xff"]),
        (typed_text(date()), [None, 1, days[0], 0.5, days[1].encode(), RawText(b"2001-01-01"), RawText(b"\xff"), NAN]),
        (typed_text(numbered(b"\xc3")), [b"\xc31", RawText(b"\xc32"), "é"]),
    )
    times = ["1970-01-01 00:00:00", "0000-01-01 00:00:00", "9999-12-31 23:59:59", "1969-12-31 23:59:59"]
    times += ["2000-02-29 12:34:56", "0000-02-29 23:59:59"]
    columns(
        "typed-timestamp",
        "timestamps with both separators and with suffixes",
        (typed_text(timestamp()), times),
        (typed_text(timestamp(b"T")), [one.replace(" ", "T") for one in times]),
        (typed_text(timestamp(b"T", 0, b"Z")), [one.replace(" ", "T") + "Z" for one in times]),
        (typed_text(timestamp(b" ", 3, b"+02:00")), [one + ".075+02:00" for one in times]),
        (typed_text(timestamp(b" ", 0, "äöü12".encode())), [one + "äöü12" for one in times]),
        (typed_text(timestamp()), [times[4], "2000-02-29 24:00:00", "2000-01-01T00:00:00", "2000-01-01 00:00:60"]),
    )
    digits = [(count, times if count < 6 else times[:1] + times[3:5]) for count in range(1, 10)]
    columns(
        "typed-fractions",
        "timestamps with 1 to 9 digits of a second, before 1970 too",
        *[
            (
                typed_text(timestamp(b" ", count)),
                [f"{one}.{mark:0{count}}" for one in some for mark in (0, 10**count - 1)],
            )
            for count, some in digits
        ],
        (typed_text(timestamp(b" ", 9)), ["1677-09-21 00:12:43.145224192", "2262-04-11 23:47:16.854775807"]),
    )
    ids = [
        "00112233-4455-6677-8899-aabbccddeeff",
        "00000000-0000-0000-0000-000000000000",
        "f" * 8 + "-ffff" * 3 + "-" + "f" * 12,
    ]
    columns(
        "typed-uuid",
        "UUIDs in both cases, and exceptions",
        (typed_text(uuid()), ids),
        (typed_text(uuid(True)), [one.upper() for one in ids]),
        (typed_text(uuid()), [ids[0], ids[0].upper(), ids[0].replace("-", ""), ids[2]]),
    )
    columns(
        "typed-hexadecimal",
        "hexadecimal digits in both cases and of several lengths, and exceptions",
        (typed_text(hexadecimal(1)), ["00", "ff", "0a"]),
        (typed_text(hexadecimal(20, True)), ["0123456789ABCDEF" + "0" * 24, "F" * 40]),
        (typed_text(hexadecimal(3)), ["abcdef", "ABCDEF", "abc", "abcdeg", "00000000"]),
        (typed_text(hexadecimal(5)), ["none", "of them"]),
    )
    columns(
        "typed-numbered",
        "numbers behind a prefix or none, padded or not, and exceptions",
        (typed_text(numbered(b"user-")), ["user-0", "user-1", "user-10", f"user-{GREATEST}"]),
        (typed_text(numbered(b"#", 5)), ["#00000", "#00001", "#99999"]),
        (typed_text(numbered("Größe ".encode(), 18)), ["Größe " + "9" * 18, "Größe " + "0" * 18]),
        (typed_text(numbered()), ["0", "1", str(GREATEST)]),
        (typed_text(numbered(b"", 3, 2)), ["000", "001", "002", "999"]),
        (typed_text(numbered(b"n")), ["n1", "n01", "n", "n-1", f"n{2**63}", "m1"]),
        (typed_text(numbered(b"n", 2)), ["n01", "n1", "n001", "n99"]),
        (typed_text(numbered(b"p" * 255, 1)), ["p" * 255 + "0", "p" * 255 + "9"]),
        (typed_text(numbered(b"\0", 1)), ["\x005"]),
    )


def good_front_coding(columns):
    paths = ["/usr/bin/a", "/usr/bin/ab", "/usr/lib", "", "/usr", "/usr", "/var/log"]
    columns(
        "front-coding",
        "texts that share their beginnings, by every codec",
        (front_coding(), paths),
        (front_coding(shared_codec=0, lengths_codec=2), paths),
        (front_coding(shared_codec=7, lengths_codec=0), paths),
        (front_coding(shared_codec=2, lengths_codec=7), paths),
        (front_coding(most=3), paths),
        (front_coding(most=0), paths),
    )
    columns("front-coding-one", "a single text", (front_coding(), ["alone"]))
    columns(
        "front-coding-kinds",
        "variable payloads of all kinds share across each other",
        (front_coding(), MIXED),
        (front_coding(), ["ab", b"abc", RawText(b"abc\xff"), None, b"abc\xff\xfe", 5, "abc"]),
        (front_coding(2), [None, "ab", "abc"]),
        (front_coding(1), [None, b"ab", b"abc"]),
    )
    columns(
        "front-coding-characters",
        "texts that share a part of a character",
        (front_coding(), ["é", "è", "è", "è€", "è₫", "\U0001f600", "\U0001f601", "日本", "日月"]),
    )
