"""What vobject reads as telephone values: FILE...; one JSON line a file, null where it gives up.

It gives up, too, where it finds fewer values than there are lines that begin like a telephone's.
"""

import json
import logging
import re
import sys

import vobject

logging.disable(logging.CRITICAL)
LINE = re.compile(r"^([\w-]+\.)?TEL[;:]", re.IGNORECASE | re.MULTILINE)


def telephones(path):
    with open(path, "rb") as file:
        raw = file.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        cards = list(vobject.readComponents(text, allowQP=True, ignoreUnreadable=True))
    except Exception:  # It raises nearly everything there is.
        return None
    values = [value.value for card in cards for value in card.contents.get("tel", [])]
    return values if len(values) >= len(LINE.findall(text)) else None


for path in sys.argv[1:]:
    print(json.dumps(telephones(path)))
