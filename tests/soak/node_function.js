// A function as the Functions Framework for Node serves it: node:http with its default times (idle
// connections are closed after 5 s, and each answer says so). usage: node node_function.js COUNT
// Listens on COUNT ports that the kernel chooses, a line for each. Answers the caller's own port.
'use strict';

const http = require('node:http');

function answer(request, response) {
  request.resume();
  request.on('end', () => {
    const body = JSON.stringify({ from: request.socket.remotePort });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
}

for (let number = 0; number < Number(process.argv[2]); number += 1) {
  const server = http.createServer(answer);
  server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
}
