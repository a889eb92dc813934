// node node.mjs FUNCTION...: prints its address. undici at its fastest: dispatch(), a pool of
// connections to each function, pipelining (calls are marked as safe to repeat, or it would not).
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pipelines } from "./pipelines.mjs";

const { Pool } = createRequire(process.env.UNDICI_FROM + "/")("undici");
const pools = process.argv.slice(2).map(
  (address) => new Pool("http://" + address, { connections: 64, pipelining: 10 }));

const headers = { "content-type": "application/json" };
const call = (i, body) => new Promise((resolve, reject) => {
  const pieces = [];
  let status = 0;
  pools[i].dispatch({ path: "/", method: "POST", headers, body, idempotent: true, blocking: false }, {
    onConnect() {},
    onHeaders(code) { status = code; return true; },
    onData(piece) { pieces.push(piece); return true; },
    onComplete() {
      const text = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
      if (status === 200) resolve(text); else reject(new Error("status " + status));
    },
    onError: reject,
  });
});

const run = pipelines(call);
const server = createServer({ keepAliveTimeout: 3600000, noDelay: true }, (request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    run(request.url, body).then(
      (answer) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
        response.end(answer);
      },
      () => { response.writeHead(502); response.end(); });
  });
});
server.listen(0, "127.0.0.1", () => console.log("127.0.0.1:" + server.address().port));
