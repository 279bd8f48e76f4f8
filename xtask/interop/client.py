"""PyPI's smpplib as a client of our own centre: a long text, its receipts, and a phone's reply."""

import json
import sys
import time
import urllib.parse
import urllib.request

import smpplib.client
import smpplib.consts
import smpplib.gsm

PORT, CONTROL = int(sys.argv[1]), sys.argv[2]
PHONE, SERVICE = "+8613800138000", "10690001"
TEXT = "胡同里的朋友" * 30

sent, received = [], []
client = smpplib.client.Client("127.0.0.1", PORT, allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: sent.append(pdu.message_id))
client.set_message_received_handler(lambda pdu: received.append(pdu) or 0)
client.connect()
client.bind_transceiver(system_id="test", password="test")

parts, coding, message_type = smpplib.gsm.make_parts(TEXT)
for part in parts:
    client.send_message(
        source_addr_ton=0, source_addr_npi=0, source_addr=SERVICE, dest_addr_ton=1, dest_addr_npi=1,
        destination_addr=PHONE.lstrip("+"), short_message=part, data_coding=coding, esm_class=message_type,
        registered_delivery=True)

phone = f"{CONTROL}/phones/{urllib.parse.quote(PHONE)}"
reply = urllib.request.Request(f"{phone}/reply", json.dumps({"to": SERVICE, "text": "YES"}).encode(),
                               {"Content-Type": "application/json"})
urllib.request.urlopen(reply).close()

deadline = time.monotonic() + 30
while (len(sent) < len(parts) or len(received) < len(parts) + 1) and time.monotonic() < deadline:
    client.read_once()
texts = [shown["text"] for shown in json.load(urllib.request.urlopen(f"{phone}/texts"))]
receipts = [pdu for pdu in received if pdu.esm_class & 0x3C]
assert len(parts) > 1 and len(set(sent)) == len(parts), f"{len(sent)} answers to {len(parts)} parts"
assert texts == [TEXT], f"{len(texts)} texts on the screen"
assert len(receipts) == len(parts), f"{len(receipts)} receipts"
assert [pdu.short_message for pdu in received if not pdu.esm_class & 0x3C] == [b"YES"]
client.unbind()
client.disconnect()
print("ok")
