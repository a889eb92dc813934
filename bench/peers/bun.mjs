// bun bun.mjs FUNCTION...: prints its address. Bun's own server and fetch, which keeps connections.
import { pipelines } from "./pipelines.mjs";

const urls = process.argv.slice(2).map((address) => "http://" + address + "/");
const headers = { "content-type": "application/json" };
const run = pipelines(async (i, body) => {
  const answer = await fetch(urls[i], { method: "POST", headers, body });
  if (answer.status !== 200) throw new Error("status " + answer.status);
  return answer.text();
});
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const path = request.url.slice(request.url.indexOf("/", 8));
    try {
      return new Response(await run(path, await request.text()), { headers });
    } catch {
      return new Response(null, { status: 502 });
    }
  },
});
console.log("127.0.0.1:" + server.port);
