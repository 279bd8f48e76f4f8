"""The telephones of address books that nobody here wrote: what the terminal finds, against a reading of our own.

telephones.py BINARY DIRECTORY: every .vcf below it. The reading knows no library: it unfolds lines, takes those named
TEL, and undoes quoted-printable and backslashes."""

import collections
import json
import pathlib
import quopri
import re
import subprocess
import sys

WANTED = 0.995
FILES_MIN, TELEPHONES_MIN = 200, 400
TEL = re.compile(r'^\s*(?:[\w-]+\.)?TEL((?:;(?:"[^"]*"|[^":;])*)*):(.*)$', re.IGNORECASE | re.DOTALL)


def text_of(data):
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def unfolded(text):
    lines = []
    for line in re.split(r"\r\n|\n|\r", text):
        if line[:1] in (" ", "\t") and lines and line.strip():
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return lines


def telephones(data):
    lines = iter(unfolded(text_of(data)))
    for line in lines:
        found = TEL.match(line)
        if not found:
            continue
        parameters, value = found.groups()
        if "QUOTED-PRINTABLE" in parameters.upper():
            while value.endswith("="):
                value = value[:-1] + next(lines, "")
            value = quopri.decodestring(value.encode()).decode("utf-8", errors="replace")
        value = re.sub(r"\\(.)", r"\1", value).strip()
        value = re.sub(r"^tel:", "", value, flags=re.IGNORECASE).strip()
        if value:
            yield value


def main():
    binary, directory = sys.argv[1:]
    files = sorted(pathlib.Path(directory).rglob("*.vcf"))
    scan = [binary, "terminal", "scan", "--dry-run", "--json", *map(str, files)]
    # A file that is none of a book ends it with 1, and its JSON is there all the same.
    said = json.loads(subprocess.run(scan, stdout=subprocess.PIPE).stdout)
    wanted = found = right = 0
    for file, scanned in zip(files, said["files"], strict=True):
        truth = collections.Counter(telephones(file.read_bytes()))
        read = collections.Counter(scanned["telephones"])
        wanted, found = wanted + truth.total(), found + read.total()
        right += (truth & read).total()
        if truth != read:
            print(f"{file.name}: {(truth - read).total()} not found, {(read - truth).total()} not there")
    recall, precision = right / max(wanted, 1), right / max(found, 1)
    print(f"{len(files)} address books of others: {wanted} telephones, recall {recall:.4f}, precision {precision:.4f}")
    if len(files) < FILES_MIN or wanted < TELEPHONES_MIN:
        sys.exit("too few to tell")
    if recall < WANTED or precision < WANTED:
        sys.exit("the terminal reads too many of them otherwise")


main()
