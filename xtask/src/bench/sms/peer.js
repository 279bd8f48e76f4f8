// npm's smpp as a client: PORT WINDOW COUNT; says the seconds as JSON.
'use strict';
const smpp = require('smpp');

const [port, window, count] = process.argv.slice(2).map(Number);
const text = 'Your code is 381724. It is good for five minutes.';
const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` }, () => {
  session.bind_transceiver({ system_id: 'test', password: 'test' }, (bound) => {
    if (bound.command_status !== 0) process.exit(1);
    const begun = process.hrtime.bigint();
    let left = count;
    let open = 0;
    const send = () => {
      if (left === 0) {
        if (open === 0) {
          console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begun) / 1e9 }));
          process.exit(0);
        }
        return;
      }
      left -= 1;
      open += 1;
      session.submit_sm({
        source_addr: '10690001', dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '8613800138000',
        short_message: text,
      }, (answer) => {
        if (answer.command_status !== 0) process.exit(1);
        open -= 1;
        send();
      });
    };
    for (let n = 0; n < window; n += 1) send();
  });
});
session.on('error', () => process.exit(1));
