"""Tables whose row groups have layers, and the good vectors of them: §5.2, §6.8 and §6.9 of spec/format.md."""

from types import SimpleNamespace as Fields

from encoders import (
    date,
    decimal,
    dictionary,
    front_coding,
    numbers,
    numeric,
    typed_text,
    words,
)
from writer import RawText, RealBits, Writer, cell, column, cut, key_part, row_hash, table


def step(deleted=(), inserted=None, changed=None):
    """One layer: ordinals before; rows by ordinals after; values by pairs of an ordinal after and a column."""
    return Fields(deleted=sorted(deleted), inserted=inserted or {}, changed=changed or {})


def layered(one, *steps, firsts=None, group=0):
    """The table after these layers of one of its row groups. `firsts` says by column which state the first piece of
    that row group's block holds; of others it is the first state."""
    groups = cut(one.rows, one.schema.key)
    rows = groups[group]
    states = [Fields(rows=rows, deleted=[], inserted=[], changed={})]
    for each in steps:
        kept = [list(row) for ordinal, row in enumerate(rows) if ordinal not in each.deleted]
        rest = iter(kept)
        new = {ordinal: [cell(value) for value in row] for ordinal, row in each.inserted.items()}
        rows = [new[at] if at in new else next(rest) for at in range(len(kept) + len(new))]
        changed = {}
        for (ordinal, index), value in sorted(each.changed.items()):
            rows[ordinal][index] = cell(value)
            changed.setdefault(index, []).append(ordinal)
        states.append(Fields(rows=rows, deleted=each.deleted, inserted=sorted(new), changed=changed))
    groups[group] = rows
    history = {**one.history, group: Fields(states=states, firsts=firsts or {})}
    rows = [row for each in groups for row in each]
    return Fields(schema=one.schema, filters=one.filters, rows=rows, history=history)


def things(count=6, name="t"):
    """Rows of a key, a text and what may be null; the keys leave room for others between them."""
    columns = [column("id", "INTEGER"), column("name", "TEXT"), column("size")]
    rows = [(10 * number, f"name {number}", None if number % 3 == 2 else number / 2) for number in range(1, count + 1)]
    return table(name, columns, rows, key=[key_part(0)], options=[("rowid", "id")])


CHANGE = step(changed={(1, 1): "changed", (4, 1): None, (5, 1): "changed too"})
INSERT = step(inserted={0: (5, "before all", 1), 3: (25, "between", None), 8: (65, "behind all", b"\xff")})
DELETE = step(deleted=[0, 3, 5])
ALL = step(deleted=[1, 2, 5], inserted={1: (15, "new", 2), 4: (55, None, 0.5)}, changed={(0, 1): "changed", (3, 2): 7})


def good_layers(good):
    def snapshots(name, describes, *contents, **options):
        """An archive with a snapshot for each of the lists of tables; what all of them hold is looked at."""
        made = Writer(**options)
        for tables in contents[:-1]:
            made.append(tables)
        earlier = [(one, at) for at, tables in enumerate(contents[:-1], 1) for one in tables]
        good(name, describes, contents[-1], made, earlier=earlier)

    def changes(name, describes, *steps, base=None, **options):
        """A table, and what it is after some layers."""
        base = base or things()
        snapshots(name, describes, [base], [layered(base, *steps)], **options)

    changes("layers-changed", "a layer that changes cells of one column", CHANGE)
    changes("layers-inserted", "a layer that puts rows in: first, in between and last", INSERT)
    changes("layers-deleted", "a layer that takes rows out, and has no patches", DELETE)
    changes("layers-all", "a layer that takes rows out, puts some in and changes cells of some columns", ALL)
    everything = {(row, index): f"{row} {index}" for row in range(6) for index in (1, 2)}
    changes("layers-every-cell", "patches of as many cells as there are rows", step(changed=everything))
    same = "a patch of a cell that is as it was before, which a reader does not check"
    changes("layers-same-cell", same, step(changed={(1, 1): "name 2"}))
    changes("layers-refill", "a layer that takes all rows out and puts others in", REFILL, DELETE_REFILLED)
    changes("layers-moved", "a layer that takes a row out and puts it in elsewhere", MOVE, base=unordered())
    changes("layers-frames", "every slice in a frame of its own", ALL, CHANGE_LATER, frame_per_block=True)
    changes("layers-compressed", "places and patches in compressed frames", *SIXTY_FOUR[:8], compress=True)
    base = things()
    one = layered(base, ALL, CHANGE_LATER)
    snapshots("layers-at-once", "a whole block and layers above it, which one snapshot wrote", [one])
    snapshots("layers-64", "64 layers", [base], [layered(base, *SIXTY_FOUR)], compress=True)
    chains(snapshots)
    columns_that_come_and_go(snapshots)
    shared(snapshots)
    encodings(snapshots)


REFILL = step(deleted=range(6), inserted={at: (at, f"other {at}", None) for at in range(9)})
DELETE_REFILLED = step(deleted=range(1, 9))
MOVE = step(deleted=[0], inserted={3: ("a", 1)}, changed={(0, 1): -2})
CHANGE_LATER = step(changed={(0, 2): "later"})


def unordered():
    return table("t", ["a", "b"], [("a", 1), ("b", 2), ("c", 3), ("d", 4)])


def sixty_four():
    """Layers of six to eight rows; each takes a row out, or puts one in, or changes a cell, or does all of it."""
    steps = []
    for number in range(16):
        row = (61 + number, f"row {number}", number % 4 or None)
        steps.append(step(inserted={6: row}))
        steps.append(step(changed={(number % 7, 1): f"changed {number}"}))
        steps.append(step(deleted=[6], inserted={6: (61 + number, "again", number)}, changed={(2, 2): number}))
        steps.append(step(deleted=[5 if number % 2 else 6]))
    return steps


SIXTY_FOUR = sixty_four()


def chains(snapshots):
    base = things()
    steps = [ALL, CHANGE_LATER, INSERT_LATER, CHANGE_AGAIN]
    later = [[layered(base, *steps[:count])] for count in range(1, 5)]
    snapshots("layers-chain", "five snapshots, each of which adds a layer to what it is based on", [base], *later)
    rewritten = [layered(base, ALL), layered(base, ALL, CHANGE_LATER, INSERT_LATER, firsts={1: 3})]
    rewritten.append(layered(base, *steps, firsts={1: 3}))
    describes = "first pieces of different states: a column was written whole again, and changed once more"
    snapshots("layers-column-rewritten", describes, [base], *[[one] for one in rewritten])
    describes = "a layer without rows or patches, for the one column that changed was written whole again"
    snapshots("layers-nothing", describes, [base], [layered(base, CHANGE, firsts={1: 1})])
    describes = "layers below all first pieces, which no block needs"
    firsts = {0: 2, 1: 2, 2: 2}
    snapshots("layers-unused", describes, [base], [layered(base, ALL, CHANGE_LATER, INSERT_LATER, firsts=firsts)])


INSERT_LATER = step(inserted={5: (70, "late", None)})
CHANGE_AGAIN = step(deleted=[2], changed={(0, 1): "again", (4, 1): "late too"})


def columns_that_come_and_go(snapshots):
    base = things()
    rows = [[*row, cell(None)] for row in base.rows]
    wider = Fields(schema=table("t", [*base.schema.columns, "added"], [], key=base.schema.key).schema, rows=rows)
    wider.filters, wider.history = [], {}
    added = {(row, 3): f"added {row}" for row in range(4)}
    longer = step(ALL.deleted, {at: (*row, None) for at, row in ALL.inserted.items()}, ALL.changed)
    first = layered(wider, longer, step(changed=added), firsts={3: 2})
    second = layered(wider, longer, step(changed=added), step(changed={(1, 3): "changed"}), firsts={3: 2})
    describes = "a column that came later: its first piece holds the last state then"
    snapshots("layers-column-added", describes, [base], [layered(base, ALL)], [first], [second])
    columns = [base.schema.columns[0], base.schema.columns[2]]
    narrower = table("t", columns, [], key=base.schema.key)
    narrower.rows = [[row[0], row[2]] for row in base.rows]
    less = step(deleted=ALL.deleted, inserted={1: (15, 2), 4: (55, 0.5)}, changed={(3, 1): 7})
    describes = "a column was dropped, so that another has the index that it had"
    snapshots("layers-column-dropped", describes, [base], [layered(narrower, less)])
    nothing = table("t", [], [[]] * 3)
    describes = "a layer of a table without columns"
    snapshots("layers-no-columns", describes, [nothing], [layered(nothing, step([1], {0: (), 3: ()}))])


def shared(snapshots):
    start = next(number for number in range(1 << 24) if row_hash([(1, number)]) < 1 << 49)
    values = [start] + [None] * 32767
    groups = table("t", ["v"], [[value] for value in [*values, *values[:-1], "the last row"]])
    changed = layered(groups, step([5, 6], {7: ["new"]}, {(9, 0): "changed"}), group=1)
    other = things(3, "u")
    describes = "the second snapshot shares a leaf page and a table manifest with the first, the third its catalog"
    contents = [groups, other], [changed, other], [changed, other]
    snapshots("layers-shared-pages", describes, *contents, compress=True, leaf_groups=1)
    twice = table("t", ["a", "b"], [(number, number) for number in range(5)])
    same = step([1], {1: ("new", "new")}, {(3, 0): "changed", (3, 1): "changed"})
    describes = "columns and layers that share patches, and layers that share places"
    snapshots("layers-shared-slices", describes, [twice], [layered(twice, same, same)])
    other = layered(things(4, "u"), step(changed={(0, 1): "changed"}))
    describes = "blocks, patches and places of several tables in one data frame"
    snapshots("layers-tables", describes, [things(4, "u")], [layered(things(), ALL), other, things(2, "v")])


def encodings(snapshots):
    every = [None, 1, -1, 0.5, -0.0, "text", "é\0", b"\xff", RawText(b"\xfe"), "", RealBits(0x7FF8000000000001)]
    mixed = table("t", ["v"], [[number] for number in range(len(every) + 4)])
    steps = [
        step([0, 1], {}, {(row, 0): value for row, value in enumerate(every)}),
        step([], {2 * row + 1: [value] for row, value in enumerate(every)}),
    ]
    describes = "cells of every kind that are changed, and that are put in"
    snapshots("layers-kinds", describes, [mixed], [layered(mixed, *steps)])
    encoders = {
        1: numeric(1),
        2: numeric(2),
        3: dictionary(),
        4: decimal(2),
        5: typed_text(date()),
        6: front_coding(),
        7: numeric(7),
        8: words(),
    }
    base = table("t", list("kabcdefgh"), [row_of(number) for number in range(40)])
    steps = [
        step(range(3, 12), {at: row_of(at + 90) for at in (3, 4, 30)}, {(2, at): row_of(9)[at] for at in range(1, 9)}),
        step(changed={(at, index): row_of(at + index)[index] for at in (7, 8, 9) for index in range(1, 9)}),
    ]
    describes = "cells in patches by every encoding, above whole blocks by other ones"
    blocks = {1: numeric(2), 2: numeric(7), 4: dictionary(), 6: typed_text(date())}
    options = {"encoders": blocks, "patch_encoders": encoders}
    snapshots("layers-encodings", describes, [base], [layered(base, *steps)], **options)
    many = table("t", ["a", "b"], [(number, number % 7) for number in range(300)])
    steps = [
        step(range(1, 300, 3), {}, {(at, 1): "changed" for at in range(5, 150, 2)}),
        step(range(150, 160), {3 * number: (number, "new") for number in range(90)}),
        step([0], {279: ("last", "new")}, {(278, 0): "last but one"}),
    ]
    for codec, name in ((0, "plain"), (1, "frame of reference"), (2, "delta"), (7, "pco")):
        describes = f"ordinals of places and patches by codec {codec}, {name}"
        ordinals = {"ordinals": lambda words, codec=codec: numbers(words, codec)}
        snapshots(f"layers-ordinals-{codec}", describes, [many], [layered(many, *steps)], **ordinals)


def row_of(number):
    """A row with a column for each of the encodings."""
    day = f"2024-{number * 37 % 12 + 1:02}-{number * 11 % 28 + 1:02}"
    path, sentence = f"/usr/{day}", f"row {number} of day {day}, {number % 7} of 7"
    return (number, number * 3, number * 5 - 70, f"word {number % 3}", number / 4, day, path, number * number, sentence)
