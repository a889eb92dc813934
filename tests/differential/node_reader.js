// Answers each request with how it was read, as JSON: method, target and body in hex.
const http = require('http');
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify([request.method, Buffer.from(request.url, 'latin1').toString('hex'),
      Buffer.concat(pieces).toString('hex')]));
  });
});
server.on('checkContinue', (request, response) => server.emit('request', request, response));
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
