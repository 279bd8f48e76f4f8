// An SMS centre on npm's smpp: answers, receipts in another form than the answers', and a text to whoever binds.
'use strict';
const smpp = require('smpp');

const TEXT = '确认 4827';
let accepted = 0;

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  const bind = (pdu) => {
    if (pdu.system_id !== 'test' || pdu.password !== 'test') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      session.close();
      return;
    }
    session.send(pdu.response({ system_id: 'npm' }));
    session.deliver_sm({
      source_addr_ton: 1, source_addr_npi: 1, source_addr: '8613800138000', destination_addr: '10690001',
      data_coding: 8, short_message: { message: Buffer.from(TEXT, 'utf16le').swap16() },
    });
  };
  session.on('bind_transceiver', bind);
  session.on('bind_transmitter', bind);
  session.on('bind_receiver', bind);
  session.on('submit_sm', (pdu) => {
    accepted += 1;
    const id = String(accepted);
    session.send(pdu.response({ message_id: id.padStart(12, '0') }));
    session.deliver_sm({
      esm_class: 4, source_addr_ton: 1, source_addr_npi: 1, source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr, receipted_message_id: id, message_state: 2,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:`,
    });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
