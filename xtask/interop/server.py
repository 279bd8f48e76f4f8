"""An SMS centre on PyPI's smpp34: answers, receipts without TLVs, and a text to whoever binds."""

import asyncio
import socket

import smpp34

TEXT = "确认 4827".encode("utf-16-be")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def deliver(esme, *arguments, **words) -> None:
    try:
        await esme.deliver_sm(*arguments, **words)
    except Exception:  # the client may have gone
        pass


async def main() -> None:
    port = free_port()
    server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
    await server.start()
    print(f"listening {port}", flush=True)
    esmes, accepted, tasks = {}, 0, set()

    def later(work) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            esmes[event.session_id] = event
            later(deliver(event, "10690001", TEXT, source_addr="8613800138000", source_addr_ton=1,
                          source_addr_npi=1, data_coding=8))
        elif isinstance(event, smpp34.SubmitSmEvent):
            accepted += 1
            event.accept(f"{accepted:X}")
            receipt = f"id:{accepted:08x} sub:001 dlvrd:001 stat:DELIVRD err:000 text:".encode()
            esme = esmes.get(event.session_id)
            if esme is not None:
                later(deliver(esme, event.source_addr, receipt, source_addr=event.destination_addr,
                              source_addr_ton=1, source_addr_npi=1, esm_class=4))
        elif isinstance(event, smpp34.Unbound):
            esmes.pop(event.session_id, None)


asyncio.run(main())
