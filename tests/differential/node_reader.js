// Answers each request with how it was read, as JSON: method; target, body and header lines in hex.
const http = require('http');
const fieldsOf = (raw) => raw.map((text, i) => (i % 2 ? `${text}\n` : `${text.toLowerCase()}:`)).join('');
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify([request.method, Buffer.from(request.url, 'latin1').toString('hex'),
      Buffer.concat(pieces).toString('hex'), Buffer.from(fieldsOf(request.rawHeaders), 'latin1').toString('hex')]));
  });
});
server.on('checkContinue', (request, response) => server.emit('request', request, response));
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
