#!/usr/bin/env python3
"""Runs the reference reader over all vectors and compares verdict, layer and rows with what their headers say."""

import contextlib
import hashlib
import io
import pathlib
import sys
import traceback

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "reference"))
import tabark_reference  # noqa: E402

EXIT_CODES = {"ok": 0, "damaged": 3, "not-an-archive": 3, "unsupported": 4}
COMMANDS = {"open": ["list"], "verify": ["verify"], "full": ["verify", "--full"]}


def run(*arguments):
    """Exit code and the lines of both outputs."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            code = tabark_reference.main(list(map(str, arguments)))
        except Exception:
            traceback.print_exc(file=output)
            code = "traceback"
    return code, output.getvalue()


def check(name):
    """What is wrong with one vector, as texts."""
    header = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    lines = [line.split(": ", 1) for line in header]
    fields = {key: value for key, value in lines if key != "rows"}
    archive, expect = FOLDER / f"{name}.tabark", fields["expect"]
    for level in list(COMMANDS)[list(COMMANDS).index(fields.get("needs", "open")) :]:
        command, *options = COMMANDS[level]
        code, output = run(command, archive, *options)
        if code != EXIT_CODES[expect]:
            yield f"{level}: exit code {code}, not {EXIT_CODES[expect]}\n{output}"
        if expect != "ok":
            layers = {line.split(" ")[0] for line in output.splitlines()}
            if layers != {fields["layer"]}:
                yield f"{level}: refused by {sorted(layers)}, not by {fields['layer']}\n{output}"
    if fields.get("cat") == "refuse":
        code, output = run("cat", archive, "-t", "t")
        if code != EXIT_CODES[expect]:
            yield f"cat: exit code {code}, not {EXIT_CODES[expect]}\n{output[:500]}"
    for where, wanted in (value.rsplit(": ", 1) for key, value in lines if key == "rows"):
        table, _, at = where.partition(" at ")
        code, output = run("cat", archive, "-t", table, *(["--at", at] if at else []))
        data = output.encode()
        same = (
            hashlib.sha256(data).hexdigest() == wanted[7:]
            if wanted.startswith("sha256 ")
            else data == (FOLDER / wanted).read_bytes()
        )
        if code or not same:
            yield f"cat {where}: exit code {code}, other rows than expected\n{output[:500]}"


def main():
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.txt"))
    failed = 0
    for name in names:
        for text in check(name):
            failed += 1
            print(f"{name}: {text}")
    print(f"{len(names)} vectors, {failed} mismatches")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
