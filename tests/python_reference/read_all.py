"""Reads archives with the reference reader: verifies each in full, then writes the rows of every table of every snapshot.

    read_all.py REFERENCE_FOLDER ARCHIVE...
"""

import contextlib
import io
import sys

sys.path.insert(0, sys.argv[1])
import tabark_reference  # noqa: E402

sys.stdout.reconfigure(encoding="utf-8", newline="\n")
for path in sys.argv[2:]:
    findings = io.StringIO()
    with contextlib.redirect_stdout(findings):
        refused = tabark_reference.main(["verify", "--full", path])
    if refused:
        sys.exit(f"{path} is refused: {findings.getvalue()}")
    archive = tabark_reference.Archive(path)
    for commit in sorted(archive.commits(), key=lambda commit: commit.number):
        _, _, catalog = archive.snapshot(commit)
        for table in catalog.tables:
            print(f"-- {commit.number} {table.name!a}")
            name = [f"-t{table.name}"] if table.name else ["-t", ""]
            if tabark_reference.main(["cat", path, *name, "--at", str(commit.number)]):
                sys.exit(f"{path}: table {table.name!a} cannot be read")
