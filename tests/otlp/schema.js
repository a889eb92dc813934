// Reads exports, one a line, by the published definitions: the classes that OpenTelemetry's own
// package has generated from opentelemetry-proto. They skip what they do not know; so what they
// write again must be what they read, or something of it was no field, or of another type.
//
//   node schema.js PACKAGE <EXPORTS     the last line is "N passed, N failed"
'use strict';
const assert = require('assert');
const fs = require('fs');

const { opentelemetry } = require(`${process.argv[2]}/build/src/generated/root.js`);
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

// Ids are the one exception from protobuf's JSON, which has bytes in base64.
const IDS = { traceId: 16, spanId: 8, parentSpanId: 8 };

function withBase64Ids(key, value) {
  if (!(key in IDS)) return value;
  const bytes = Buffer.from(value, 'hex');
  assert.strictEqual(bytes.toString('hex'), value, `${key} is not lower-case hex`);
  assert.strictEqual(bytes.length, IDS[key], `${key} is of the wrong length`);
  return bytes.toString('base64');
}

function check(line) {
  const read = JSON.parse(line, withBase64Ids);
  const bytes = Request.encode(Request.fromObject(read)).finish();
  const written = Request.toObject(Request.decode(bytes), { longs: String, bytes: String });
  assert.deepStrictEqual(JSON.parse(JSON.stringify(written)), read);
}

function refuses(line) {
  try {
    check(line);
  } catch {
    return true;
  }
  return false;
}

const lines = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean);
const wrong = [
  [/"kind":/, '"Kind":'], [/"kind":2/, '"kind":"2"'], [/"kind":2/, '"kind":"SPAN_KIND_SERVER"'],
  [/"startTimeUnixNano"/, '"start_time_unix_nano"'], [/Nano":"([0-9]+)"/, 'Nano":$1'],
  [/"spanId":"/, '"spanId":"00'], [/"traceId":"[^"]*"/, '"traceId":"W47/95gDgQPSabYzgT/GDA=="'],
  [/"spans":\[\{/, '"spans":[{"more":1,'], [/"stringValue":"/, '"stringvalue":"'],
];
let passed = 0;
let failed = 0;

function count(name, good) {
  if (good) passed += 1; else failed += 1;
  if (!good) console.log(`FAILED ${name}`);
}

lines.forEach((line, index) => {
  try {
    check(line);
    count(index, true);
  } catch (error) {
    count(`line ${index + 1}: ${error.message}`, false);
  }
});
for (const [right, not] of wrong) {
  const line = lines.find((each) => right.test(each));
  count(`${not} is refused`, line !== undefined && refuses(line.replace(right, not)));
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
