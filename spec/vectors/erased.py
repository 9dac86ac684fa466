"""Archives that rows were erased from (§4.5): records, good and bad. Names begin with `erasures`."""

from writer import Fields, Writer, derive


def record(salt=1, **values):
    fields = {
        "time": 1_700_000_000_000_009,
        "table": "t",
        "columns": ["id"],
        "rows": 2,
        "others": [Fields(table="lines", rows=3), Fields(table="orders", rows=1)],
        "snapshots": 1,
        "reason": "asked to",
        "salt": bytes([salt]) * 32,
        "keys": [key(salt, 3), key(salt, 4)],
        "roots": [Fields(number=1, before=bytes([7]) * 32, after=bytes([8]) * 32)],
    }
    fields["keys"].sort()
    return Fields(**{**fields, **values})


def key(salt, number):
    """The digest of an integer key of the column id of table t."""
    cell = bytes.fromhex("010000000001") + number.to_bytes(8, "little")
    parts = [b"t", b"id", cell]
    hashed = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    return derive("tabark 1 erased key", bytes([salt]) * 32 + hashed)


def good_erasures(vector, tiny):
    made = Writer().append([tiny()], erasures=[record()])
    vector("erasures-one", "the record of an erasure", made, rows=[(tiny(), None)])
    made = Writer(compress=True).append([tiny("old")], erasures=[record()]).append([tiny()])
    rows = [(tiny("old"), 1), (tiny(), None)]
    vector("erasures-kept", "a snapshot after an erasure keeps its record", made, rows=rows)
    roots = [Fields(number=9, before=bytes(32), after=bytes(32))]
    second = record(2, others=[], reason="", columns=["id", "name"], roots=roots)
    made = Writer().append([tiny()], erasures=[record()]).append([tiny()], erasures=[record(), second])
    vector("erasures-two", "the records of two erasures, in two frames", made, rows=[(tiny(), None)])


def bad_erasures(bad, changing, only, tiny):
    def wrong(name, layer, describes, records=None, changes=None, before=None):
        made = before or Writer(changes=changes).append([tiny()], erasures=records or [record()])
        bad(f"erasures-{name}", layer, "verify", describes, writer=made, cat="ok", rows=[(tiny(), None)])

    def commit(**values):
        return {"commit": changing(**values)}

    def to_manifest(fields):
        fields.erasures, fields.erasures_digest = fields.manifest.offset, fields.manifest.digest
        return fields

    wrong("no-frame", "reference", "a link into the middle of a frame", changes=commit(erasures=lambda at: at + 8))
    wrong("forward", "reference", "a link to the commit itself", changes=commit(erasures=lambda at: at + 100_000))
    wrong("digest-alone", "reference", "a digest without an offset", changes=commit(erasures=0))
    digest = commit(erasures_digest=lambda digest: digest[:-1] + bytes([digest[-1] ^ 1]))
    wrong("digest", "reference", "a link with another digest", changes=digest)
    wrong("kind", "reference", "a link to the snapshot manifest", changes={"commit": to_manifest})
    left_over = {"raw erasures": lambda body: body + b"\0"}
    wrong("left-over", "metadata", "a byte is left over", changes=left_over)
    wrong("none", "manifest", "no record", changes={"erasures": changing(records=[])})
    wrong("salt-twice", "manifest", "two records of one salt", [record(), record()])
    many = [Fields(table=name, rows=1) for name in ("b", "a")]
    wrong("others-unsorted", "manifest", "tables that are not sorted", [record(others=many)])
    wrong("others-own", "manifest", "the table itself among the others", [record(others=[Fields(table="t", rows=1)])])
    wrong("others-no-rows", "manifest", "a table that lost no rows", [record(others=[Fields(table="a", rows=0)])])
    wrong("keys-unsorted", "manifest", "digests that are not sorted", [record(keys=[bytes([2]) * 32, bytes([1]) * 32])])
    wrong("keys-none", "manifest", "no digest", [record(keys=[])])
    wrong("columns-none", "manifest", "no column", [record(columns=[])])
    wrong("no-rows", "manifest", "no rows", [record(rows=0)])
    wrong("snapshots", "manifest", "more snapshots lost rows than there were", [record(snapshots=2)])
    roots = [Fields(number=number, before=bytes(32), after=bytes(32)) for number in (2, 1)]
    wrong("roots-unsorted", "manifest", "roots that are not sorted", [record(roots=roots)])
    wrong("roots-none", "manifest", "no roots", [record(roots=[], snapshots=0)])
    lost = only(2, changing(erasures=0, erasures_digest=bytes(32)))
    made = Writer(changes={"commit": lost}).append([tiny()], erasures=[record()]).append([tiny()])
    wrong("lost", "commit", "the second commit is without the records of the first", before=made)
