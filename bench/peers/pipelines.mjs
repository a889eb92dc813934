// What the Node and the Bun program share: /orchestrate/seqN runs N functions one after the other,
// /orchestrate/parN all at once and merges their answers into one object. `call(i, body)` resolves to
// function i's answer, as text; a failed one rejects.
export function pipelines(call) {
  return async (path, body) => {
    const [, mode, steps] = /^\/orchestrate\/(seq|par)(\d+)/.exec(path);
    if (mode === "seq") {
      for (let i = 0; i < steps; i++) body = await call(i, body);
      return body;
    }
    const calls = Array.from({ length: steps }, (_, i) => call(i, body));
    const answers = await Promise.all(calls);
    const merged = {};
    answers.forEach((answer, i) => { merged["f" + i] = JSON.parse(answer); });
    return JSON.stringify(merged);
  };
}
