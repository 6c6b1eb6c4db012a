// What both JavaScript suites need: where the server is, and tests that run one after the other,
// each in its own time.
import {inspect, isDeepStrictEqual} from 'node:util';

export const host = '127.0.0.1';
export const port = Number(process.env.SERVER_PORT);
export const unixSocket = process.env.SERVER_SOCKET;
export const authPort = Number(process.env.AUTH_PORT);
export const password = process.env.AUTH_PASSWORD;
export const isLarder = process.env.TARGET === 'larder';

const kTestMilliseconds = 30_000;
const tests = [];

export function test(name, body) {
  tests.push({name, body});
}

export const sleep = (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds));

function show(value) {
  return inspect(value, {depth: 5}).slice(0, 300);
}

export function eq(actual, expected) {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${show(actual)} is not ${show(expected)}`);
  }
}

export function check(condition, what = 'does not hold') {
  if (!condition) throw new Error(what);
}

// The promise fails with exactly this text.
export async function rejects(promise, text) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    eq(error.message, text);
    return error;
  }
  throw new Error(`${show(result)} instead of an error`);
}

// What another connection or the clock does is seen soon, not at once.
export async function until(condition) {
  for (;;) {
    const result = await condition();
    if (result) return result;
    await sleep(10);  // Without end: the test's own time limit is the end.
  }
}

export function randomBytes(length) {
  const bytes = Buffer.alloc(length);
  let state = 7;
  for (let i = 0; i < length; ++i) {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

async function within(milliseconds, promise) {
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

// A test that fails leaves calls behind that nobody waits for any more.
process.on('unhandledRejection', () => {});

// Runs all tests with what `before` makes, and ends the process.
export async function run(before, after) {
  let passed = 0;
  let failed = 0;
  for (const {name, body} of tests) {
    let given;
    try {
      given = await within(kTestMilliseconds, before());
      await within(kTestMilliseconds, body(given));
      ++passed;
    } catch (error) {
      ++failed;
      console.log(`FAILED ${name}\n${error.stack}`);
    }
    if (given) await after(given);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}
