"""PyPI's smpp34 as a client: PORT WINDOW COUNT; says the seconds as JSON."""

import asyncio
import json
import os
import sys
import time

import smpp34

PORT, WINDOW, COUNT = map(int, sys.argv[1:])
TEXT = b"Your code is 381724. It is good for five minutes."


async def main() -> None:
    client = smpp34.Client("127.0.0.1", PORT, "test", "test", bind_type="trx", window_size=WINDOW)
    smsc = await client.connect()
    left = COUNT

    async def send() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            answer = await smsc.submit_sm("8613800138000", TEXT, source_addr="10690001", dest_addr_ton=1,
                                          dest_addr_npi=1)
            assert answer.is_success

    begun = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(WINDOW)))
    print(json.dumps({"seconds": time.perf_counter() - begun}), flush=True)
    await smsc.unbind()
    await client.stop()


asyncio.run(main())
# smpp34's extension dies now and then while the interpreter goes down, after everything was said.
os._exit(0)
