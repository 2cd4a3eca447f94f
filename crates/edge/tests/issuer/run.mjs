// A provider for tests: oauth2-mock-server, with wishes on standard input, a line of JSON each, and an answer to each.
// It ends when its standard input does. The first argument is the folder that it is installed in.
import { createHmac, createPublicKey } from 'node:crypto';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const folder = process.argv[2];
const { OAuth2Server } = await import(
  pathToFileURL(`${folder}/node_modules/oauth2-mock-server/dist/index.mjs`).href
);
const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
const person = { email: 'ana@example.com', email_verified: true, groups: ['ops'] };
// What the next tokens say otherwise, and how they are forged.
let claims = {};
let forged = null;
let seen = {};
let userinfo = null;

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const read = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

function forge(token) {
  const payload = part(read(token));
  if (forged === 'none') return `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`;
  if (forged === 'hmac') {
    const [key] = server.issuer.keys.toJSON();
    const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const head = `${part({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${payload}`;
    return `${head}.${createHmac('sha256', pem).update(head).digest('base64url')}`;
  }
  if (forged === 'changed') return token.replace(/\.[^.]*\./, `.${part({ ...read(token), sub: 'root' })}.`);
  return token;
}

function say(payload) {
  Object.assign(payload, person, claims);
  for (const [name, value] of Object.entries(claims)) {
    if (value === null) delete payload[name];
    else if (typeof value === 'object' && 'now' in value) {
      payload[name] = Math.floor(Date.now() / 1000) + value.now;
    }
  }
}

server.service.on('beforeTokenSigning', (token, request) => {
  if (token.payload.aud !== undefined) say(token.payload);
  seen.authorization = request.headers.authorization ?? null;
  seen.client = request.body.client_id ?? null;
});
server.service.on('beforeResponse', (response) => {
  if (response.body.id_token) {
    response.body.id_token = forge(response.body.id_token);
    seen.kid = kid(response.body.id_token);
  }
});
server.service.on('beforeUserinfo', (response) => {
  if (userinfo) response.body = userinfo;
});

const wishes = {
  claims: (value) => void (claims = value),
  forge: (value) => void (forged = value),
  userinfo: (value) => void (userinfo = value),
  seen: () => seen,
  rotate: async (way) => (await server.issuer.keys.generate(way)).kid,
  token: async (value) =>
    forge(
      await server.issuer.buildToken({
        expiresIn: 3600,
        scopesOrTransform: (head, payload) => {
          Object.assign(payload, person, { sub: 'program' }, value);
          const forget = Object.entries(value).filter(([, one]) => one === null);
          for (const [name] of forget) delete payload[name];
        },
      })
    ),
  stop: () => server.stop(),
  start: (port) => server.start(port, '127.0.0.1'),
};

await server.start(0, '127.0.0.1');
console.log(JSON.stringify(server.issuer.url));
for await (const line of createInterface({ input: process.stdin })) {
  const [[name, value]] = Object.entries(JSON.parse(line));
  const answer = await wishes[name](value);
  console.log(JSON.stringify(answer ?? null));
}
await server.stop();
