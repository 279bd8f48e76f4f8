"""Reads lines of a region, a tab and a field with the reference port of libphonenumber; answers one JSON line."""

import json
import sys
import time

import phonenumbers

rows = [line.rstrip("\n").split("\t", 1) for line in sys.stdin]


def read(region, raw):
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    phonenumbers.number_type(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def count():
    return sum(read(region, raw) is not None for region, raw in rows)


begun = time.perf_counter()
numbers = count()
first = time.perf_counter() - begun
begun = time.perf_counter()
count()
rate = len(rows) / (time.perf_counter() - begun)
print(json.dumps({"who": "reference port (Python)", "fields": len(rows), "numbers": numbers,
                  "first_seconds": first, "a_second": rate}))
