// A sample function: answers on port 8080 with its input, and its own name in "by".
const name = process.argv[2];
require('http').createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    let input;
    try {
      input = JSON.parse(Buffer.concat(parts).toString() || '{}');
    } catch {
      response.writeHead(400, {'content-type': 'application/json'});
      return response.end('{"error":"the body is no JSON"}');
    }
    response.writeHead(200, {'content-type': 'application/json'});
    response.end(JSON.stringify({...input, by: [...(input.by || []), name]}));
  });
}).listen(Number(process.env.PORT || 8080));
