"""Tables whose row groups have layers, and the vectors of them: §5.2, §6.7 and §6.8 of spec/format.md."""

from types import SimpleNamespace as Fields

from writer import cell


def step(deleted=(), inserted=(), changed=()):
    """One layer: ordinals before; pairs of an ordinal after and a row; triples of an ordinal after, a column and a value."""
    return Fields(deleted=sorted(deleted), inserted=dict(inserted), changed=list(changed))


def layered(one, *steps, firsts=None, group=0):
    """The table after these layers of one of its row groups, whose rows are then the table's. `firsts` says by column which
    state its first piece holds; of others it is the first one."""
    rows = one.rows
    states = [Fields(rows=rows, deleted=[], inserted=[], changed={})]
    for each in steps:
        kept = [row for ordinal, row in enumerate(rows) if ordinal not in each.deleted]
        rest = iter(kept)
        new = {ordinal: [cell(value) for value in row] for ordinal, row in each.inserted.items()}
        rows = [new[at] if at in new else list(next(rest)) for at in range(len(kept) + len(new))]
        changed = {}
        for ordinal, column, value in each.changed:
            rows[ordinal][column] = cell(value)
            changed.setdefault(column, []).append(ordinal)
        states.append(Fields(rows=rows, deleted=each.deleted, inserted=sorted(new), changed=changed))
    history = {**one.history, group: Fields(states=states, firsts=firsts or {})}
    return Fields(schema=one.schema, rows=rows, history=history)
