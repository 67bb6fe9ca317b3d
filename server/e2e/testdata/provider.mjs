// An identity provider for the tests: npm's oidc-provider, with its own login page. It
// prints its issuer, and reads from standard input, a line each: first the address of the
// server whose accounts it keeps, then "logout SUBJECT" for its back channel.
import http from 'node:http';
import readline from 'node:readline';
import { Provider } from 'oidc-provider';

const groups = { ada: ['staff', 'voice-admins'], bob: ['staff'], eve: ['visitors'], otto: ['staff', 'voice-auditors'] };

const server = http.createServer();
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const application = (await lines.next()).value;

const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
  clients: [{
    client_id: 'parley', client_secret: 'a secret of the test alone',
    redirect_uris: [`${application}/api/v1/auth/oidc/callback`],
    backchannel_logout_uri: `${application}/api/v1/auth/oidc/logout`,
    post_logout_redirect_uris: [`${application}/sign-in`],
    backchannel_logout_session_required: true,
  }],
  claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true }, userinfo: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `${id} of the company`, email: `${id}@example.org`, email_verified: true, groups: groups[id] ?? [] }),
  }),
});
server.on('request', provider.callback());

// Who is signed in, by the sid that the client was told.
const signedIn = new Map();
provider.on('authorization.success', (ctx) => {
  const { session } = ctx.oidc;
  signedIn.set(session.accountId, session.sidFor('parley'));
});

for await (const line of lines) {
  const [act, subject] = line.split(' ');
  if (act !== 'logout') continue;
  await (await provider.Client.find('parley')).backchannelLogout(subject, signedIn.get(subject));
  console.log('logged out');
}
